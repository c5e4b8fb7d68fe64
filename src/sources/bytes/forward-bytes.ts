/** Compressed data as bytes by position. They are decompressed in order: a position before the last read begins anew. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from './byte-reader.js'

/** Bytes of the last read that the next may begin in. */
const KEPT_BYTES = 4096

type Chunks = AsyncGenerator<Uint8Array, void, void>

/** Part of `bytes` as a file of its own; closing it leaves `bytes` open. */
export function bytesWithin(bytes: ByteReader, at: number, byteLength: number): ByteReader {
  return {
    path: bytes.path,
    byteLength,
    read: (into, position) => bytes.read(into.subarray(0, Math.max(0, byteLength - position)), at + position),
    close: () => Promise.resolve(),
  }
}

/**
 * A reader of the chunks that `open` gives, `byteLength` bytes in all. Reads are cheap when each begins inside the last
 * one or after it, as slices of rows do whose bits or offsets share a byte. Holds the end of the last read and one chunk.
 */
export class ForwardBytes implements ByteReader {
  readonly path: string
  readonly byteLength: number
  readonly #open: () => Chunks
  #chunks: Chunks | undefined
  #chunk: Uint8Array = new Uint8Array(0)
  /** Position of the chunk. */
  #at = 0
  #last: Uint8Array = new Uint8Array(0)
  #lastAt = 0

  constructor(path: string, byteLength: number, open: () => Chunks) {
    this.path = path
    this.byteLength = byteLength
    this.#open = open
  }

  /** @throws InvalidFileError when the data is damaged, or longer or shorter than `byteLength` */
  async read(into: Uint8Array, position: number): Promise<number> {
    const wanted = Math.min(into.length, Math.max(0, this.byteLength - position))
    if (wanted === 0) return 0
    const filled = this.#fromLast(into.subarray(0, wanted), position)
    for (let got = filled; got < wanted;) {
      await this.#seek(position + got)
      const part = this.#chunk.subarray(position + got - this.#at, position + wanted - this.#at)
      into.set(part, got)
      got += part.length
    }
    const from = Math.max(0, wanted - KEPT_BYTES)
    this.#last = into.slice(from, wanted)
    this.#lastAt = position + from
    return wanted
  }

  async close(): Promise<void> {
    await this.#chunks?.return()
    this.#chunks = undefined
  }

  #fromLast(into: Uint8Array, position: number): number {
    const from = position - this.#lastAt
    if (from < 0 || from >= this.#last.length) return 0
    const part = this.#last.subarray(from, from + into.length)
    into.set(part)
    return part.length
  }

  /** Makes the chunk at `position` the current one. */
  async #seek(position: number): Promise<void> {
    if (this.#chunks === undefined || position < this.#at) {
      await this.close()
      this.#chunks = this.#open()
      this.#chunk = new Uint8Array(0)
      this.#at = 0
    }
    while (position >= this.#at + this.#chunk.length) {
      const next = await this.#chunks.next()
      if (next.done === true) throw this.#refuse(this.#at + this.#chunk.length)
      this.#at += this.#chunk.length
      this.#chunk = next.value
      if (this.#at + this.#chunk.length > this.byteLength) throw this.#refuse(this.#at + this.#chunk.length)
    }
  }

  #refuse(got: number): InvalidFileError {
    const reason = `its compressed data has ${got} bytes, expected ${this.byteLength}; it is damaged`
    return new InvalidFileError(this.path, reason)
  }
}
