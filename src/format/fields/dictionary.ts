/**
 * The distinct keywords of a field, ascending by UTF-8 bytes; a keyword's code is its place.
 *
 * Layout: f64 number of values n; n + 1 f64 offsets into the bytes, from 0; the bytes. Offsets are f64 because the
 * keywords of some hundred million rows are more than 4 GiB.
 */
import { CorruptIndexError } from '../../errors.js'
import { compareBytes } from '../../fields/compare-bytes.js'
import { MAX_FIELD_ROW_BYTES } from '../../fields/encode-value.js'
import type { SegmentHeader } from '../segment/segment-header.js'
import { MISSING_CODE } from './column-layout.js'

export const dictionaryBytesAt = (values: number): number => 8 + 8 * (values + 1)

export const dictionaryDataBytes = (values: number, keyBytes: number): number => dictionaryBytesAt(values) + keyBytes

/** What is needed of the dictionary's file. */
export interface DictionaryFile {
  readonly path: string
  readonly header: SegmentHeader
  /** Fills `into` from a byte of the data. @throws CorruptIndexError */
  read(dataOffset: number, into: Uint8Array): void
}

/**
 * Reads keywords from the file as they are asked for: about 2 log2(values) short reads find one. Nothing is trusted:
 * offsets are checked where they are used.
 */
export class Dictionary {
  readonly #file: DictionaryFile
  readonly #keyBytes: number
  readonly #offsets = new Float64Array(2)
  readonly #offsetBytes = new Uint8Array(this.#offsets.buffer)
  #key = new Uint8Array(256)
  /** Values. */
  readonly size: number

  /** @throws CorruptIndexError when the file cannot be a dictionary */
  constructor(file: DictionaryFile) {
    this.#file = file
    const { dataBytes } = file.header
    if (dataBytes < dictionaryBytesAt(0)) this.#fail(`${dataBytes} bytes of data are no dictionary`)
    file.read(0, this.#offsetBytes.subarray(0, 8))
    const [size] = this.#offsets
    this.#keyBytes = dataBytes - dictionaryBytesAt(size)
    if (!(Number.isInteger(size) && size >= 0 && size <= MISSING_CODE && this.#keyBytes >= 0)) {
      this.#fail(`${dataBytes} bytes of data cannot hold ${size} values`)
    }
    this.size = size
    file.read(8 + 8 * size, this.#offsetBytes.subarray(0, 8))
    const [end] = this.#offsets
    if (end !== this.#keyBytes) this.#fail(`the values end at byte ${end} of ${this.#keyBytes}`)
  }

  /** The code of a keyword; -1 when no row has it. @throws CorruptIndexError */
  codeOf(key: Uint8Array): number {
    const code = this.lowerBound(key)
    return code < this.size && this.#compare(code, key) === 0 ? code : -1
  }

  /** The first code whose keyword is not before `key`; `size` when all are. @throws CorruptIndexError */
  lowerBound(key: Uint8Array): number {
    let [from, to] = [0, this.size]
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      if (this.#compare(middle, key) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  /** The bytes of a keyword: a view that is valid until the next call. @throws CorruptIndexError */
  bytesOf(code: number): Uint8Array {
    if (!(code >= 0 && code < this.size)) throw new RangeError(`value ${code} of ${this.size}`)
    this.#file.read(8 + 8 * code, this.#offsetBytes)
    const [from, to] = this.#offsets
    const length = to - from
    const isWhole = Number.isInteger(from) && Number.isInteger(to)
    if (!(isWhole && from >= 0 && length >= 0 && length <= MAX_FIELD_ROW_BYTES && to <= this.#keyBytes)) {
      this.#fail(`value ${code} lies at bytes ${from} to ${to}`)
    }
    if (length > this.#key.length) this.#key = new Uint8Array(2 * length)
    const key = this.#key.subarray(0, length)
    this.#file.read(dictionaryBytesAt(this.size) + from, key)
    return key
  }

  textOf(code: number): string {
    const { buffer, byteOffset, byteLength } = this.bytesOf(code)
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  }

  #compare(code: number, key: Uint8Array): number {
    const bytes = this.bytesOf(code)
    return compareBytes(bytes, 0, bytes.length, key, 0, key.length)
  }

  #fail(reason: string): never {
    throw new CorruptIndexError(this.#file.path, reason)
  }
}
