import { PartWriter } from '../../format/segment/part-writer.js'
import type { OpenSegments } from '../../pipeline/segments/create-segments.js'

/** Writes rows in the order of nodes into the segments that hold them. */
export class SegmentFiller {
  readonly #segments: OpenSegments
  readonly #strideBytes: number
  #segment = -1
  #writer: PartWriter | undefined
  /** Rows that the open segment still has room for. */
  #room = 0

  constructor(segments: OpenSegments, strideBytes: number) {
    this.#segments = segments
    this.#strideBytes = strideBytes
  }

  /** Writes whole rows; copies them. */
  write(rows: Uint8Array): void {
    const stride = this.#strideBytes
    for (let at = 0; at < rows.length;) {
      if (this.#room === 0) this.#next()
      const taken = Math.min(this.#room, (rows.length - at) / stride)
      this.#writer?.write(rows.subarray(at, at + taken * stride))
      this.#room -= taken
      at += taken * stride
    }
  }

  /** Call after the last row. */
  finish(): void {
    if (this.#writer === undefined) return
    this.#segments.checksums[this.#segment].add(this.#writer.finish())
    this.#writer = undefined
  }

  /** Idempotent. Without `finish` before it, the open segment stays incomplete. */
  close(): void {
    this.#writer?.close()
  }

  #next(): void {
    this.finish()
    this.#segment++
    this.#room = this.#segments.files[this.#segment].count
    this.#writer = new PartWriter(this.#segments.paths[this.#segment], 0)
  }
}
