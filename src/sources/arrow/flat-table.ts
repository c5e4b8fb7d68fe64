/**
 * Reads FlatBuffers tables, the format of Arrow's metadata. Every length and offset is checked against the bytes there
 * are: one that leads outside throws a RangeError.
 */

export class FlatTable {
  readonly #view: DataView
  readonly #at: number
  readonly #fields: number
  readonly #fieldBytes: number

  constructor(view: DataView, at: number) {
    this.#view = view
    this.#at = at
    this.#fields = at - view.getInt32(at, true)
    this.#fieldBytes = view.getUint16(this.#fields, true)
  }

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new FlatTable(view, view.getUint32(0, true))
  }

  byte(field: number, fallback: number): number {
    const at = this.#place(field)
    return at === undefined ? fallback : this.#view.getUint8(at)
  }

  int16(field: number, fallback: number): number {
    const at = this.#place(field)
    return at === undefined ? fallback : this.#view.getInt16(at, true)
  }

  int32(field: number, fallback: number): number {
    const at = this.#place(field)
    return at === undefined ? fallback : this.#view.getInt32(at, true)
  }

  /** A number that is exact up to 2^53; larger values are too large for any file. */
  int64(field: number): number {
    const at = this.#place(field)
    return at === undefined ? 0 : Number(this.#view.getBigInt64(at, true))
  }

  table(field: number): FlatTable | undefined {
    const at = this.#place(field)
    return at === undefined ? undefined : new FlatTable(this.#view, this.#target(at))
  }

  text(field: number): string {
    const vector = this.#vector(field, 1)
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + vector.from, vector.length)
    return new TextDecoder().decode(bytes)
  }

  tables(field: number): FlatTable[] {
    const { from, length } = this.#vector(field, 4)
    return Array.from({ length }, (_, i) => new FlatTable(this.#view, this.#target(from + 4 * i)))
  }

  /** A vector of structs of `each` i64, flattened. */
  int64s(field: number, each: number): number[] {
    const { from, length } = this.#vector(field, 8 * each)
    return Array.from({ length: length * each }, (_, i) => Number(this.#view.getBigInt64(from + 8 * i, true)))
  }

  #place(field: number): number | undefined {
    const slot = 4 + 2 * field
    if (slot >= this.#fieldBytes) return undefined
    const offset = this.#view.getUint16(this.#fields + slot, true)
    return offset === 0 ? undefined : this.#at + offset
  }

  #target(at: number): number {
    return at + this.#view.getUint32(at, true)
  }

  #vector(field: number, elementBytes: number): { from: number; length: number } {
    const at = this.#place(field)
    if (at === undefined) return { from: 0, length: 0 }
    const start = this.#target(at)
    const length = this.#view.getUint32(start, true)
    if (length * elementBytes > this.#view.byteLength - start - 4)
      throw new RangeError('a vector is longer than its file')
    return { from: start + 4, length }
  }
}
