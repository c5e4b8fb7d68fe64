/** Verifies a dictionary: keywords in order, each of them used by a row. */
import buffer from 'node:buffer'
import { compareBytes } from '../../fields/compare-bytes.js'
import { Dictionary } from '../fields/dictionary.js'
import type { SegmentBlocks } from '../segment/segment-blocks.js'
import type { VerifyFindings } from './verify-report.js'

/** A dictionary up to this size is held while rows are compared with it. */
const HELD_BYTES = 16 * 2 ** 20

export class DictionaryCheck {
  readonly size: number
  readonly #dictionary: Dictionary
  readonly #path: string
  readonly #isUsed: Uint8Array

  /** @throws CorruptIndexError when it is none */
  constructor(blocks: SegmentBlocks) {
    this.#path = blocks.path
    this.#dictionary = new Dictionary(heldOrNot(blocks))
    this.size = this.#dictionary.size
    this.#isUsed = new Uint8Array(Math.ceil(this.size / 8))
  }

  /** The keyword of a code that a row uses; undefined when there is none. @throws CorruptIndexError */
  textOf(code: number): string | undefined {
    if (code >= this.size) return undefined
    this.#isUsed[code >>> 3] |= 1 << (code & 7)
    return this.#dictionary.textOf(code)
  }

  /** Adds keywords out of order, not UTF-8, or of no row. After all rows. @throws CorruptIndexError */
  finish(findings: VerifyFindings): void {
    let last: Uint8Array | undefined
    for (let code = 0; code < this.size; code++) {
      const bytes = this.#dictionary.bytesOf(code)
      const reason = this.#problem(code, bytes, last)
      if (reason !== undefined) findings.add({ path: this.#path, reason })
      last = bytes.slice()
    }
  }

  #problem(code: number, bytes: Uint8Array, last: Uint8Array | undefined): string | undefined {
    if (last !== undefined && compareBytes(last, 0, last.length, bytes, 0, bytes.length) >= 0) {
      return `value ${code} is not after the one before it`
    }
    if (!buffer.isUtf8(bytes)) return `value ${code} is not UTF-8`
    return (this.#isUsed[code >>> 3] & (1 << (code & 7))) === 0 ? `value ${code} is of no row` : undefined
  }
}

function heldOrNot(blocks: SegmentBlocks): ConstructorParameters<typeof Dictionary>[0] {
  const { path, header } = blocks
  if (header.dataBytes > HELD_BYTES) return blocks
  const data = new Uint8Array(header.dataBytes)
  blocks.read(0, data)
  return { path, header, read: (offset, into) => into.set(data.subarray(offset, offset + into.length)) }
}
