import { FieldRows } from './field-rows.js'

const FIRST_BYTES = 1024
const FIRST_ROWS = 32

/** Field rows that grow, one after another. */
export class FieldRowList {
  #bytes = new Uint8Array(FIRST_BYTES)
  #offsets = new Uint32Array(FIRST_ROWS + 1)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Of the rows. */
  get size(): number {
    return this.#offsets[this.#count]
  }

  /** Of memory. */
  get heldBytes(): number {
    return this.#bytes.length + this.#offsets.byteLength
  }

  /** All rows in one buffer, for readers of bytes: valid until the next row is added. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The first byte of a row; of the row after the last, the end. */
  start(at: number): number {
    return this.#offsets[at]
  }

  /** A view, valid until the next row is added. */
  row(at: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[at], this.#offsets[at + 1])
  }

  /** Adds a copy. */
  add(row: Uint8Array): void {
    const from = this.size
    this.#reserve(this.#count + 1, from + row.length)
    this.#bytes.set(row, from)
    this.#offsets[++this.#count] = from + row.length
  }

  /** Adds copies. */
  addAll({ bytes, offsets, count }: FieldRows): void {
    const from = this.size
    this.#reserve(this.#count + count, from + offsets[count])
    this.#bytes.set(bytes.subarray(0, offsets[count]), from)
    for (let i = 1; i <= count; i++) this.#offsets[this.#count + i] = from + offsets[i]
    this.#count += count
  }

  /** A copy of all. */
  copy(): FieldRows {
    return new FieldRows(this.#bytes.slice(0, this.size), this.#offsets.slice(0, this.#count + 1))
  }

  #reserve(rows: number, bytes: number): void {
    if (rows >= this.#offsets.length) {
      const offsets = new Uint32Array(Math.max(rows + 1, 2 * this.#offsets.length))
      offsets.set(this.#offsets)
      this.#offsets = offsets
    }
    if (bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
