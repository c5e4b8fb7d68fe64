import type { SegmentFile } from '../segment/segment-file.js'
import type { SegmentStream } from '../segment/segment-stream.js'
import { encodeTail, MAX_ENTRY_BYTES, TERMS_PER_BLOCK } from './terms-layout.js'
import { writeVarint } from './varint.js'

/** Writes the terms of one field, which ascend by bytes. Holds 16 bytes for each block of 32 terms. */
export class TermsWriter {
  readonly #out: SegmentStream
  readonly #entry = new Uint8Array(MAX_ENTRY_BYTES)
  readonly #last = new Uint8Array(255)
  #lastLength = 0
  #terms = 0
  #postingsBytes = 0
  /** By block: where its entries begin, and its postings. */
  #index = new BigUint64Array(64)

  constructor(out: SegmentStream) {
    this.#out = out
  }

  /** Adds the term that is `bytes` up to `length`: larger than the one before, of at most 255 bytes. */
  add(bytes: Uint8Array, length: number, documents: number, postingsBytes: number): void {
    const isFirst = this.#terms % TERMS_PER_BLOCK === 0
    if (isFirst) this.#beginBlock()
    let shared = 0
    if (!isFirst) {
      const most = Math.min(length, this.#lastLength)
      while (shared < most && bytes[shared] === this.#last[shared]) shared++
    }
    const entry = this.#entry
    entry[0] = shared
    entry[1] = length - shared
    let at = 2
    for (let i = shared; i < length; i++) entry[at++] = this.#last[i] = bytes[i]
    at = writeVarint(entry, at, documents)
    at = writeVarint(entry, at, postingsBytes)
    this.#out.write(entry.subarray(0, at))
    this.#lastLength = length
    this.#postingsBytes += postingsBytes
    this.#terms++
  }

  /** Ends the file. */
  finish(texts: { readonly documents: number; readonly tokens: number }): SegmentFile {
    const entriesBytes = this.#out.length
    const words = 2 * Math.ceil(this.#terms / TERMS_PER_BLOCK)
    this.#out.write(new Uint8Array(this.#index.buffer, 0, 8 * words))
    this.#out.write(encodeTail({ terms: this.#terms, entriesBytes, postingsBytes: this.#postingsBytes, ...texts }))
    return this.#out.finish()
  }

  #beginBlock(): void {
    const at = 2 * (this.#terms / TERMS_PER_BLOCK)
    if (at === this.#index.length) {
      const longer = new BigUint64Array(2 * at)
      longer.set(this.#index)
      this.#index = longer
    }
    this.#index[at] = BigInt(this.#out.length)
    this.#index[at + 1] = BigInt(this.#postingsBytes)
  }
}
