import type { SegmentBlocks } from '../segment/segment-blocks.js'

const WINDOW_BYTES = 4 * 16_384

/** Numbers of a segment's data that are asked for front to back, some of them read at once. */
export class DataWindow {
  readonly #blocks: SegmentBlocks
  readonly #bytes = new Uint8Array(WINDOW_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  #from = 0
  #to = 0

  constructor(blocks: SegmentBlocks) {
    this.#blocks = blocks
  }

  /** @throws CorruptIndexError */
  u8(offset: number): number {
    return this.#view.getUint8(this.#placeOf(offset, 1))
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#placeOf(offset, 4), true)
  }

  f64(offset: number): number {
    return this.#view.getFloat64(this.#placeOf(offset, 8), true)
  }

  #placeOf(offset: number, bytes: number): number {
    if (offset < this.#from || offset + bytes > this.#to) {
      const length = Math.min(WINDOW_BYTES, this.#blocks.header.dataBytes - offset)
      if (length < bytes) throw new RangeError(`${this.#blocks.path} has no ${bytes} bytes at ${offset}`)
      this.#blocks.read(offset, this.#bytes.subarray(0, length))
      this.#from = offset
      this.#to = offset + length
    }
    return offset - this.#from
  }
}
