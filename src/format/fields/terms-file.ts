import { CorruptIndexError } from '../../errors.js'
import type { FieldData } from './field-data.js'
import {
  BLOCK_ENTRY_BYTES,
  blocksOf,
  decodeTail,
  MAX_ENTRY_BYTES,
  sizeAt,
  TERMS_PER_BLOCK,
  TERMS_TAIL_BYTES,
  type TermsTail,
} from './terms-layout.js'

/** Smaller files are held. */
const HELD_BYTES = 2 ** 22
const MAX_BLOCK_BYTES = TERMS_PER_BLOCK * MAX_ENTRY_BYTES

/** Where a block is. */
interface Block {
  readonly from: number
  readonly to: number
  readonly postingsFrom: number
  readonly postingsTo: number
  readonly terms: number
}

/** The terms of one field, read block by block. */
export class TermsFile {
  readonly path: string
  readonly tail: TermsTail
  readonly blocks: number
  readonly #data: FieldData
  #held: Uint8Array | undefined

  /** @throws CorruptIndexError when the sizes of its parts contradict each other, or `count` nodes or the postings */
  constructor(data: FieldData, count: number, postingsBytes: number) {
    this.path = data.path
    this.#data = data
    const { dataBytes } = data.header
    if (dataBytes < TERMS_TAIL_BYTES) throw this.#corrupt(`${dataBytes} bytes of data cannot hold the tail of terms`)
    this.tail = decodeTail(this.bytes(dataBytes - TERMS_TAIL_BYTES, TERMS_TAIL_BYTES))
    const { terms, entriesBytes, documents, tokens } = this.tail
    this.blocks = blocksOf(terms)
    if (entriesBytes + BLOCK_ENTRY_BYTES * this.blocks + TERMS_TAIL_BYTES !== dataBytes) {
      throw this.#corrupt(`${terms} terms in ${entriesBytes} bytes do not make ${dataBytes} bytes of data`)
    }
    if (this.tail.postingsBytes !== postingsBytes) {
      throw this.#corrupt(`the postings have ${postingsBytes} bytes, not ${this.tail.postingsBytes}`)
    }
    if (documents > count || tokens === Infinity || (terms > 0 && (documents === 0 || tokens < terms))) {
      throw this.#corrupt(`${documents} of ${count} nodes have texts with ${terms} terms, ${tokens} in all`)
    }
  }

  /** Bytes of the data: a view, or a copy of what is not held. */
  bytes(from: number, length: number): Uint8Array {
    const { dataBytes } = this.#data.header
    if (dataBytes > HELD_BYTES) {
      const bytes = new Uint8Array(length)
      this.#data.read(from, bytes)
      return bytes
    }
    if (this.#held === undefined) {
      this.#held = new Uint8Array(dataBytes)
      this.#data.read(0, this.#held)
    }
    return this.#held.subarray(from, from + length)
  }

  /** The place of a block. @throws CorruptIndexError */
  block(at: number): Block {
    const { terms, entriesBytes, postingsBytes } = this.tail
    const isLast = at === this.blocks - 1
    const index = this.bytes(entriesBytes + BLOCK_ENTRY_BYTES * at, BLOCK_ENTRY_BYTES * (isLast ? 1 : 2))
    const view = new DataView(index.buffer, index.byteOffset, index.byteLength)
    const [from, postingsFrom] = [sizeAt(view, 0), sizeAt(view, 8)]
    const [to, postingsTo] = isLast ? [entriesBytes, postingsBytes] : [sizeAt(view, 16), sizeAt(view, 24)]
    const isSound = from < to && to <= entriesBytes && to - from <= MAX_BLOCK_BYTES && postingsFrom <= postingsTo
    if (!isSound || postingsTo > postingsBytes) {
      throw this.#corrupt(
        `block ${at} of terms lies at bytes ${from} to ${to}, its postings ${postingsFrom} to ${postingsTo}`,
      )
    }
    const blockTerms = isLast ? terms - at * TERMS_PER_BLOCK : TERMS_PER_BLOCK
    return { from, to, postingsFrom, postingsTo, terms: blockTerms }
  }

  #corrupt(reason: string): CorruptIndexError {
    return new CorruptIndexError(this.path, reason)
  }
}
