import type { FileHandle } from 'node:fs/promises'
import { readAt } from '../../../spill/files/read-at.js'

const CHUNK_BYTES = 4 * 2 ** 20

/**
 * Gives ranges of a file, from front to back, out of large sequential reads. Every range begins at a multiple of 8 of
 * the file, and so of its memory.
 */
export class ForwardBytes {
  readonly #handle: FileHandle
  readonly #chunkBytes: number
  #memory = Buffer.alloc(0)
  /** Where in the file the memory begins, and how much of it is filled. */
  #from = 0
  #filled = 0

  /** `size`: the bytes of the file that are looked at, whatever is appended meanwhile. */
  constructor(
    handle: FileHandle,
    readonly size: number,
    chunkBytes = CHUNK_BYTES,
  ) {
    this.#handle = handle
    this.#chunkBytes = chunkBytes
  }

  /** The length that `at` gives cheaply at `offset`: a chunk, or what is left. */
  chunkAt(offset: number): number {
    return Math.min(this.#chunkBytes, this.size - offset)
  }

  /**
   * `length` bytes at `offset`, which is not before that of the last call, within `size`.
   * The view is valid until the next call. Undefined when the file has been cut shorter meanwhile.
   */
  async at(offset: number, length: number): Promise<Buffer | undefined> {
    if (offset + length > this.size) throw new RangeError(`bytes ${offset} to ${offset + length} of ${this.size}`)
    if (offset + length > this.#from + this.#filled) await this.#readOn(offset, length)
    const at = offset - this.#from
    return at + length <= this.#filled ? this.#memory.subarray(at, at + length) : undefined
  }

  async #readOn(offset: number, length: number): Promise<void> {
    const wanted = Math.max(length, this.chunkAt(offset))
    const kept = this.#memory.subarray(Math.min(offset - this.#from, this.#filled), this.#filled)
    if (wanted > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(wanted)
      larger.set(kept)
      this.#memory = larger
    } else {
      this.#memory.copyWithin(0, kept.byteOffset - this.#memory.byteOffset, this.#filled)
    }
    this.#from = offset
    const into = this.#memory.subarray(kept.length, wanted)
    this.#filled = kept.length + (await readAt(this.#handle, into, offset + kept.length))
  }
}
