/**
 * Makes batches of rows from the lists in a table's column of vectors. Lists come whole or value by value, in pieces
 * that may end inside a row; all lists must be as long as the first.
 */
import { InvalidFileError } from '../../errors.js'
import { rowsPerBatch } from '../vector-file.js'

export interface ListRowsOptions {
  readonly path: string
  readonly dimensions: number
  /** Row of the file of the first list. */
  readonly firstRow: number
  /** Rows before this one are checked and skipped. */
  readonly startAt: number
  /** 'skip' makes a list that is null, has a null or is empty a row of NaN. */
  readonly invalid: 'error' | 'skip'
}

export class ListRows {
  readonly #path: string
  readonly #dimensions: number
  readonly #startAt: number
  readonly #invalid: 'error' | 'skip'
  readonly #values: Float32Array
  readonly #capacity: number
  /** Whole rows in `#values`. */
  #rows = 0
  /** Values of the open list; below 0 when no list is open. */
  #filled = -1
  #isNull = false
  /** Row of the open list, or of the next one. */
  row: number

  constructor({ path, dimensions, firstRow, startAt, invalid }: ListRowsOptions) {
    this.#path = path
    this.#dimensions = dimensions
    this.#startAt = startAt
    this.#invalid = invalid
    this.row = firstRow
    this.#capacity = rowsPerBatch(dimensions)
    this.#values = new Float32Array(this.#capacity * dimensions)
  }

  get isFull(): boolean {
    return this.#rows === this.#capacity
  }

  get hasRows(): boolean {
    return this.#rows > 0
  }

  /** The gathered rows; the next rows overwrite them. */
  take(): Float32Array {
    const vectors = this.#values.subarray(0, this.#rows * this.#dimensions)
    this.#rows = 0
    return vectors
  }

  /** Adds a whole list of the right length, from `at` on. There must be room: check `isFull` first. */
  addWhole(values: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> }, at: number): void {
    if (this.row >= this.#startAt) {
      this.#values.set(values.subarray(at, at + this.#dimensions), this.#rows * this.#dimensions)
      this.#rows++
    }
    this.row++
  }

  /** Ends the open list. @throws InvalidFileError when it has another length, or a null */
  end(): void {
    if (this.#filled < 0) return
    if (this.#isNull || this.#filled === 0) this.#endMissing()
    else if (this.#filled !== this.#dimensions) throw wrongLength(this.#path, this.row, this.#filled, this.#dimensions)
    if (this.row >= this.#startAt) this.#rows++
    this.row++
    this.#filled = -1
  }

  begin(): void {
    this.#filled = 0
    this.#isNull = false
  }

  add(value: number): void {
    if (this.#filled < 0) throw this.#refuse('has no beginning')
    // end() reports a list that is too long.
    if (this.#filled < this.#dimensions) this.#values[this.#rows * this.#dimensions + this.#filled] = value
    this.#filled++
  }

  /** Notes that the open list is null or has a null in it. */
  addNull(): void {
    if (this.#filled < 0) throw this.#refuse('has no beginning')
    this.#isNull = true
  }

  #endMissing(): void {
    if (this.#invalid === 'error') throw missingVector(this.#path, this.row, this.#isNull)
    const at = this.#rows * this.#dimensions
    this.#values.fill(NaN, at, at + this.#dimensions)
  }

  #refuse(what: string): InvalidFileError {
    return new InvalidFileError(this.#path, `the vector of row ${this.row} ${what}`)
  }
}

export function wrongLength(path: string, row: number, length: number, dimensions: number): InvalidFileError {
  const reason = `the vector of row ${row} has ${length} numbers, expected ${dimensions} as in the first one`
  return new InvalidFileError(path, reason)
}

/** A vector that is null or has a null, or is a list without a number. */
export function missingVector(path: string, row: number, isNull: boolean): InvalidFileError {
  const what = isNull ? 'is null, or has a null in it' : 'is an empty list'
  const reason = `the vector of row ${row} ${what}`
  return new InvalidFileError(path, `${reason}; pass invalid: 'skip' (--invalid skip) to leave out such rows`)
}
