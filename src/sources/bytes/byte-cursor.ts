/** Takes bytes from a file or stream in order, a given number at a time. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from './byte-reader.js'

const BUFFER_BYTES = 256 * 1024

export class ByteCursor {
  readonly #bytes: ByteReader
  readonly #what: string
  #buffer = new Uint8Array(BUFFER_BYTES)
  #from = 0
  #to = 0
  /** Offset of the buffer's end in the file. */
  #position: number

  /** `what` names the format in messages. */
  constructor(bytes: ByteReader, what: string, position = 0) {
    this.#bytes = bytes
    this.#what = what
    this.#position = position
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#position - (this.#to - this.#from)
  }

  async atEnd(): Promise<boolean> {
    if (this.#from < this.#to) return false
    await this.#fill(1)
    return this.#from === this.#to
  }

  /**
   * The next `count` bytes: a view that is valid until the next call.
   * @throws InvalidFileError when the data ends first
   */
  async take(count: number): Promise<Uint8Array> {
    if (this.#to - this.#from < count) await this.#fill(count)
    if (this.#to - this.#from < count) {
      const got = this.#to - this.#from
      throw new InvalidFileError(
        this.#bytes.path,
        `it is truncated in its ${this.#what} data: expected ${count} bytes from byte ${this.offset}, got ${got}`,
        { offset: this.#position },
      )
    }
    this.#from += count
    return this.#buffer.subarray(this.#from - count, this.#from)
  }

  failure(reason: string, cause?: unknown): InvalidFileError {
    return new InvalidFileError(this.#bytes.path, reason, { offset: this.offset, cause })
  }

  async #fill(count: number): Promise<void> {
    const kept = this.#buffer.subarray(this.#from, this.#to)
    if (count > this.#buffer.length) {
      const larger = new Uint8Array(count)
      larger.set(kept)
      this.#buffer = larger
    } else {
      this.#buffer.copyWithin(0, this.#from, this.#to)
    }
    this.#to = kept.length
    this.#from = 0
    while (this.#to < count) {
      const got = await this.#bytes.read(this.#buffer.subarray(this.#to), this.#position)
      if (got === 0) return
      this.#to += got
      this.#position += got
    }
  }
}
