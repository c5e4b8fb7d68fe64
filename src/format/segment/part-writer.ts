/**
 * Writes one contiguous part of a segment's data, from any thread, while other threads write other parts.
 *
 * Synchronous on purpose: a worker has nothing else to do meanwhile. Small writes gather in a buffer. The CRC of each
 * checksum block is computed when the buffer is written to the file.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { writeAtSync } from '../bytes/write-durably.js'
import { writeFailure } from '../bytes/file-errors.js'
import { appendPieces, type ChecksumPiece, type PartChecksums } from './segment-checksums.js'
import { SEGMENT_HEADER_BYTES } from './segment-header.js'

export const PART_BUFFER_BYTES = 2 ** 20

export class PartWriter {
  readonly #path: string
  readonly #offset: number
  readonly #endOfData: number
  /** Made at the first write that is smaller than it: many parts are one large write. */
  #buffer: Uint8Array | undefined
  readonly #bufferBytes: number
  readonly #pieces: ChecksumPiece[] = []
  #fd: number | undefined
  #buffered = 0
  #flushed = 0

  /**
   * `path` is a file that `createSegment` made; `dataOffset` is the part's first byte, counted from the first data
   * byte.
   */
  constructor(path: string, dataOffset: number, options: { bufferBytes?: number } = {}) {
    this.#path = path
    this.#offset = dataOffset
    this.#bufferBytes = options.bufferBytes ?? PART_BUFFER_BYTES
    try {
      this.#fd = openSync(path, 'r+')
      this.#endOfData = fstatSync(this.#fd).size - SEGMENT_HEADER_BYTES
    } catch (error) {
      this.close()
      throw writeFailure(path, 0, error)
    }
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#flushed + this.#buffered
  }

  /** Copies `bytes`, which may be reused at once. */
  write(bytes: Uint8Array): void {
    const end = this.#offset + this.length + bytes.length
    if (end > this.#endOfData) {
      throw new RangeError(`${this.#path}: a part would end at data byte ${end}, the data ends at ${this.#endOfData}`)
    }
    if (this.#buffered + bytes.length > this.#bufferBytes) this.#flush()
    if (bytes.length >= this.#bufferBytes) {
      this.#put(bytes)
      return
    }
    this.#buffer ??= new Uint8Array(this.#bufferBytes)
    this.#buffer.set(bytes, this.#buffered)
    this.#buffered += bytes.length
  }

  /** Writes the rest to the file (`sealSegment` syncs it), closes the writer, and returns the part's checksums. */
  finish(): PartChecksums {
    this.#flush()
    this.close()
    return { offset: this.#offset, length: this.#flushed, pieces: this.#pieces }
  }

  /** Idempotent. Gives the part up unless `finish` was called. */
  close(): void {
    const fd = this.#fd
    this.#fd = undefined
    try {
      if (fd !== undefined) closeSync(fd)
    } catch (error) {
      throw writeFailure(this.#path, 0, error)
    }
  }

  #flush(): void {
    if (this.#buffer === undefined || this.#buffered === 0) return
    const length = this.#buffered
    this.#buffered = 0
    this.#put(this.#buffer.subarray(0, length))
  }

  #put(bytes: Uint8Array): void {
    if (this.#fd === undefined) throw new Error(`${this.#path}: write after close`)
    const dataOffset = this.#offset + this.#flushed
    try {
      writeAtSync(this.#fd, bytes, SEGMENT_HEADER_BYTES + dataOffset)
    } catch (error) {
      throw writeFailure(this.#path, bytes.length, error)
    }
    this.#flushed += bytes.length
    appendPieces(this.#pieces, dataOffset, bytes)
  }
}
