/** The fields of consecutive rows, encoded by `FieldCodec`: what travels from a source to files, and from log to search. */
export class FieldRows {
  /** Encoded rows, one after another. */
  readonly bytes: Uint8Array
  /** rows + 1 offsets into `bytes`, ascending, from 0. */
  readonly offsets: Uint32Array

  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.bytes = bytes
    this.offsets = offsets
  }

  get count(): number {
    return this.offsets.length - 1
  }

  /** Of a row, with its offset. */
  bytesOf(at: number): number {
    return 4 + this.offsets[at + 1] - this.offsets[at]
  }

  /** A view. */
  row(at: number): Uint8Array {
    return this.bytes.subarray(this.offsets[at], this.offsets[at + 1])
  }

  /** Rows `from` to `to`: views where that is possible. */
  slice(from: number, to: number): FieldRows {
    const start = this.offsets[from]
    const offsets = this.offsets.slice(from, to + 1)
    if (start > 0) for (let i = 0; i < offsets.length; i++) offsets[i] -= start
    return new FieldRows(this.bytes.subarray(start, this.offsets[to]), offsets)
  }

  /** The rows at these positions, in their order: copies. */
  pick(rows: ArrayLike<number>): FieldRows {
    const offsets = new Uint32Array(rows.length + 1)
    for (let i = 0; i < rows.length; i++) {
      offsets[i + 1] = offsets[i] + this.offsets[rows[i] + 1] - this.offsets[rows[i]]
    }
    const bytes = new Uint8Array(offsets[rows.length])
    for (let i = 0; i < rows.length; i++) bytes.set(this.row(rows[i]), offsets[i])
    return new FieldRows(bytes, offsets)
  }
}
