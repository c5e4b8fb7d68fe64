import { ID_TABLE_STRIDE_BYTES } from '../../format/segment/segment-file.js'

/** What is needed of the id table's file: rows as `src/format/ids/id-table.ts` has them, ascending. */
export interface IdTable {
  readonly header: { readonly count: number }
  /** Fills `into` from byte `offset` of the rows. @throws CorruptIndexError */
  read(offset: number, into: Uint8Array): void
}

/** Rows that are read at once. At 1M ids a lookup reads 1.96 windows; with 64 rows 2.16, with 256 1.90. */
const WINDOW_ROWS = 128
/** After this many the search goes by halves: hashes that are not spread evenly make guesses useless. */
const MOST_GUESSES = 4
const ROW_WORDS = ID_TABLE_STRIDE_BYTES / 4

/**
 * Finds rows of an id table that is not held in memory. Hashes are spread evenly, so a hash tells about where its row
 * is: a window of rows is read there, and says how far off the guess was.
 */
export class IdTableWindow {
  readonly #table: IdTable
  readonly #rows: number
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  /** The rows in the window. */
  #from = 0
  #to = 0

  /** `windowRows`: all rows, for a table that is read once and held. */
  constructor(table: IdTable, windowRows = WINDOW_ROWS) {
    this.#table = table
    this.#rows = table.header.count
    this.#words = new Uint32Array(Math.min(windowRows, this.#rows) * ROW_WORDS)
    this.#bytes = new Uint8Array(this.#words.buffer)
  }

  /**
   * The first row whose hash is not below this one; the number of rows when there is none. Reads 4 + log2(rows) windows
   * at most, whatever the table holds. @throws CorruptIndexError
   */
  firstRowOf(high: number, low: number): number {
    const wanted = hashValue(high, low)
    // The row is from `from` to `to`; the hashes of the rows outside are at most `below`, and at least `above`.
    let [from, to] = [0, this.#rows]
    let [below, above] = [0, 2 ** 32]
    for (let reads = 0; from < to; reads++) {
      const share = reads < MOST_GUESSES && above > below ? (wanted - below) / (above - below) : 0.5
      const guess = Math.min(Math.max(from + Math.floor(share * (to - from)), from), to - 1)
      this.#read(Math.max(0, guess - WINDOW_ROWS / 2))
      const row = this.#firstInWindow(high, low)
      if (row === this.#from) {
        if (row <= from) return from
        to = row
        above = this.#valueAt(row)
      } else if (row === this.#to) {
        from = row
        below = this.#valueAt(row - 1)
      } else return row
    }
    return from
  }

  /** The node of a row; undefined when the row has another hash, or there is no such row. @throws CorruptIndexError */
  nodeAt(row: number, high: number, low: number): number | undefined {
    if (row >= this.#rows) return undefined
    if (row < this.#from || row >= this.#to) this.#read(row)
    const at = (row - this.#from) * ROW_WORDS
    return this.#words[at] === high && this.#words[at + 1] === low ? this.#words[at + 2] : undefined
  }

  /** Reads a full window from `row` on, or the last one. */
  #read(row: number): void {
    if (this.#to - this.#from === this.#rows) return
    const held = this.#words.length / ROW_WORDS
    const from = Math.min(row, this.#rows - held)
    // Nothing is held when the read throws.
    this.#to = this.#from
    this.#table.read(from * ID_TABLE_STRIDE_BYTES, this.#bytes)
    this.#from = from
    this.#to = from + held
  }

  #firstInWindow(high: number, low: number): number {
    let [from, to] = [this.#from, this.#to]
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      const at = (middle - this.#from) * ROW_WORDS
      const word = this.#words[at]
      if (word < high || (word === high && this.#words[at + 1] < low)) from = middle + 1
      else to = middle
    }
    return from
  }

  #valueAt(row: number): number {
    const at = (row - this.#from) * ROW_WORDS
    return hashValue(this.#words[at], this.#words[at + 1])
  }
}

/** From 0 to 2^32. Its last bits are lost: for guesses only. */
function hashValue(high: number, low: number): number {
  return high + low / 2 ** 32
}
