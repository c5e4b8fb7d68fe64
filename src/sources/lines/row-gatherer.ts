/** Gathers records of lines into batches, all with ids or all without. */
import { InvalidFileError } from '../../errors.js'
import type { Id, VectorBatch } from '../../api/vectors.js'
import { BATCH_BYTES } from '../vector-file.js'

export interface LineRecord {
  readonly id: Id | undefined
  /** Undefined for a failed request of OpenAI's batch output, and for a vector that is null or empty. */
  readonly vector: ArrayLike<number> | undefined
  /** Why there is no vector. */
  readonly failure?: string
  /** What an error says after the record's place, where that is not the failure. */
  readonly refusal?: string
  /** A value for each field. */
  readonly fields?: readonly unknown[]
}

const BATCH_VALUES = BATCH_BYTES / Float32Array.BYTES_PER_ELEMENT
/** Most records without a vector before the first vector, which wait for its dimensions. */
const MAX_WAITING = 100_000

/**
 * Gathers records into batches with equal dimensions, all with ids or all without. A record that differs begins a new
 * batch, because only the build knows the expected dimensions and the ordinal. A record without a vector is a row of NaN with
 * the dimensions of the vector before it, or of the first one after it.
 */
export class RowGatherer {
  readonly #path: string
  readonly #values = new Float32Array(BATCH_VALUES)
  /** Dimensions of the batch and of the last vector. */
  #dimensions = 0
  #ids: Id[] | undefined
  #waiting: LineRecord[] = []
  readonly #names: readonly string[] | undefined
  /** A column for each field. */
  #columns: unknown[][] = []
  count = 0

  /** `names`: of the fields that records have. */
  constructor(path: string, names?: readonly string[]) {
    this.#path = path
    this.#names = names
    this.#beginColumns()
  }

  /** Adds a record, and yields the batches that it does not fit into: usually none. */
  *add(record: LineRecord): Generator<VectorBatch, void, void> {
    if (record.vector === undefined && this.#dimensions === 0) {
      this.#waiting.push(record)
      if (this.#waiting.length > MAX_WAITING) throw this.#noVector()
      return
    }
    const dimensions = record.vector?.length ?? this.#dimensions
    const waiting = this.#waiting
    this.#waiting = []
    for (const failed of waiting) yield* this.#addRow(failed, dimensions)
    yield* this.#addRow(record, dimensions)
  }

  /** Skips a record; its dimensions are the dimensions of a record without a vector after it. */
  leaveOut({ vector }: LineRecord): void {
    if (vector !== undefined) this.#dimensions = vector.length
  }

  *end(): Generator<VectorBatch, void, void> {
    if (this.#waiting.length > 0) throw this.#noVector()
    if (this.count > 0) yield this.take()
  }

  take(): VectorBatch {
    const vectors = this.#values.subarray(0, this.count * this.#dimensions)
    const columns = this.#columns
    const fields = this.#names && Object.fromEntries(this.#names.map((name, i) => [name, columns[i]]))
    const ids = this.#ids
    this.count = 0
    this.#ids = undefined
    this.#beginColumns()
    return { ...(ids && { ids }), vectors, dimensions: this.#dimensions, ...(fields && { fields }) }
  }

  #beginColumns(): void {
    this.#columns = (this.#names ?? []).map(() => [])
  }

  *#addRow({ id, vector, fields }: LineRecord, dimensions: number): Generator<VectorBatch, void, void> {
    const alike = dimensions === this.#dimensions && (id === undefined) === (this.#ids === undefined)
    if (this.count > 0 && !(alike && (this.count + 1) * dimensions <= BATCH_VALUES)) yield this.take()
    if (this.count === 0) {
      this.#dimensions = dimensions
      this.#ids = id === undefined ? undefined : []
    }
    const at = this.count * dimensions
    if (vector === undefined) this.#values.fill(NaN, at, at + dimensions)
    else this.#values.set(vector, at)
    if (id !== undefined) this.#ids?.push(id)
    for (const [i, column] of this.#columns.entries()) column.push(fields?.[i])
    this.count++
  }

  #noVector(): InvalidFileError {
    const [{ id, failure }] = this.#waiting
    const first = id === undefined ? 'the first' : `the first, ${JSON.stringify(id)},`
    const failed = `${first} failed: ${failure ?? ''}`
    return new InvalidFileError(this.#path, `none of its ${this.#waiting.length} records has a vector; ${failed}`)
  }
}
