/** Decompresses a stream of gzip (RFC 1952), with one member or more, or of deflate without a header (RFC 1951). */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createInflateRaw, type Gunzip, type InflateRaw } from 'node:zlib'
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from './byte-reader.js'
import { isError, systemErrorCode } from '../../runtime/realms.js'

export const GZIP_MAGIC = Uint8Array.of(0x1f, 0x8b, 0x08)

const PIECE_BYTES = 64 * 1024

/** @throws InvalidFileError when the data is damaged or truncated, or other data follows */
export async function* gunzip(bytes: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  const pieces = new Pieces(bytes)
  const decompressor = createGunzip({ chunkSize: PIECE_BYTES })
  yield* decompressed(bytes.path, pieces, decompressor, 'gzip')
  // The decompressor stops silently at data that is not another member.
  if (decompressor.bytesWritten < pieces.position || (await pieces.hasMore())) {
    throw new InvalidFileError(bytes.path, 'its gzip data is followed by something else', {
      offset: decompressor.bytesWritten,
    })
  }
}

/** @throws InvalidFileError when the data is damaged or truncated */
export function inflateRaw(bytes: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  return decompressed(bytes.path, new Pieces(bytes), createInflateRaw({ chunkSize: PIECE_BYTES }), 'deflate')
}

async function* decompressed(
  path: string,
  pieces: Pieces,
  decompressor: Gunzip | InflateRaw,
  what: string,
): AsyncGenerator<Uint8Array, void, void> {
  // An error of the file also ends the decompressor, and is thrown where it is read, so it is ignored here.
  pipeline(Readable.from(pieces.read(), { highWaterMark: 1 }), decompressor).catch(() => undefined)
  try {
    for await (const chunk of decompressor) yield chunk as Uint8Array
  } catch (cause) {
    throw isZlibError(cause) ? damaged(path, { what, offset: decompressor.bytesWritten }, cause) : cause
  }
}

class Pieces {
  readonly #bytes: ByteReader
  position = 0

  constructor(bytes: ByteReader) {
    this.#bytes = bytes
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      // A new buffer for each piece: the decompressor uses it while the next one is read.
      const piece = new Uint8Array(PIECE_BYTES)
      const got = await this.#bytes.read(piece, this.position)
      if (got === 0) return
      this.position += got
      yield piece.subarray(0, got)
    }
  }

  async hasMore(): Promise<boolean> {
    return (await this.#bytes.read(new Uint8Array(1), this.position)) > 0
  }
}

function isZlibError(error: unknown): error is Error {
  return isError(error) && /^(Z_|ERR_TRAILING)/.test(systemErrorCode(error) ?? '')
}

function damaged(path: string, { what, offset }: { what: string; offset: number }, cause: Error): InvalidFileError {
  const isCut = cause.message === 'unexpected end of file'
  const reason = isCut
    ? `it is truncated: its ${what} data has no end`
    : `its ${what} data is damaged (${cause.message})`
  return new InvalidFileError(path, reason, { offset, cause })
}
