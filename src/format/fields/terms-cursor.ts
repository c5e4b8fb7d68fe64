import { CorruptIndexError } from '../../errors.js'
import { compareBytes } from '../../fields/compare-bytes.js'
import type { TermsFile } from './terms-file.js'

/** Goes through terms in the order of their bytes. What it reads from the file is checked before it is used. */
export class TermsCursor {
  /** The term, up to `length`. Valid until the next move. */
  readonly term = new Uint8Array(255)
  length = 0
  /** Nodes that have the term, at least 1. */
  documents = 0
  /** Where its postings are. */
  postingsFrom = 0
  postingsBytes = 0
  readonly #file: TermsFile
  #block = -1
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  /** Terms of the block that come after this one. */
  #left = 0
  #postingsTo = 0

  constructor(file: TermsFile) {
    this.#file = file
  }

  /** Goes to the first term that is not before `wanted`; false when there is none. @throws CorruptIndexError */
  seek(wanted: Uint8Array): boolean {
    const { blocks } = this.#file
    if (blocks === 0) return false
    // The last block whose first term is not after `wanted`, or the first block.
    let [low, high] = [0, blocks - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      this.#open(middle)
      this.#step()
      if (this.#compare(wanted) <= 0) low = middle
      else high = middle - 1
    }
    this.#open(low)
    while (this.next()) if (this.#compare(wanted) >= 0) return true
    return false
  }

  /** Goes to the next term, at first to the first one; false when there is none. @throws CorruptIndexError */
  next(): boolean {
    if (this.#left === 0) {
      if (this.#block + 1 >= this.#file.blocks) return false
      this.#open(this.#block + 1)
    }
    this.#step()
    return true
  }

  /** Whether the term is these bytes. */
  equals(bytes: Uint8Array): boolean {
    return this.#compare(bytes) === 0
  }

  startsWith(bytes: Uint8Array): boolean {
    return this.length >= bytes.length && compareBytes(this.term, 0, bytes.length, bytes, 0, bytes.length) === 0
  }

  #compare(bytes: Uint8Array): number {
    return compareBytes(this.term, 0, this.length, bytes, 0, bytes.length)
  }

  #open(block: number): void {
    const { from, to, postingsFrom, postingsTo, terms } = this.#file.block(block)
    this.#bytes = this.#file.bytes(from, to - from)
    this.#block = block
    this.#at = 0
    this.#left = terms
    this.length = 0
    this.postingsFrom = postingsFrom
    this.postingsBytes = 0
    this.#postingsTo = postingsTo
  }

  #step(): void {
    const bytes = this.#bytes
    const shared = bytes[this.#at]
    const length = shared + bytes[this.#at + 1]
    const restAt = this.#at + 2
    this.#at = restAt + length - shared
    if (shared > this.length || length > 255 || this.#at > bytes.length) throw this.#corrupt('has a wrong length')
    for (let i = shared, at = restAt; i < length; i++, at++) this.term[i] = bytes[at]
    this.length = length
    this.postingsFrom += this.postingsBytes
    this.documents = this.#varint()
    this.postingsBytes = this.#varint()
    this.#left--
    const isSound = this.documents > 0 && this.documents <= this.#file.tail.documents
    if (!isSound || this.postingsBytes < this.documents || this.postingsFrom + this.postingsBytes > this.#postingsTo) {
      throw this.#corrupt(`has ${this.documents} documents in postings of ${this.postingsBytes} bytes`)
    }
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; factor < 2 ** 35; factor *= 128) {
      if (this.#at >= this.#bytes.length) break
      const byte = this.#bytes[this.#at++]
      value += (byte & 0x7f) * factor
      if (byte < 128) return value
    }
    throw this.#corrupt('has a number without an end')
  }

  #corrupt(what: string): CorruptIndexError {
    return new CorruptIndexError(this.#file.path, `a term of block ${this.#block} ${what}`)
  }
}
