/** The text of a line format, decompressed when it begins with the magic number of gzip or zstd. */
import { readChunks, readFully, type ByteReader } from './byte-reader.js'
import { gunzip, GZIP_MAGIC } from './gunzip.js'
import { unzstd, ZSTD_MAGIC } from './unzstd.js'

export type Compression = 'gzip' | 'zstd'

const MAGICS: readonly (readonly [magic: Uint8Array, name: Compression])[] = [
  [GZIP_MAGIC, 'gzip'],
  [ZSTD_MAGIC, 'zstd'],
]
const HEAD_BYTES = 4

export function compressionOf(head: Uint8Array): Compression | undefined {
  return MAGICS.find(([magic]) => head.length >= magic.length && magic.every((byte, i) => head[i] === byte))?.[1]
}

/**
 * Reads `bytes` in order from their beginning; a stream must be unread. Holds at most one window of the compression and
 * a few pieces. Closing it frees them and leaves `bytes` open, so a pending read must be ended first.
 * @throws InvalidFileError from `read` when compressed data is damaged; its offsets count compressed bytes
 */
export async function plainText(bytes: ByteReader): Promise<ByteReader> {
  const buffer = new Uint8Array(HEAD_BYTES)
  const head = buffer.subarray(0, await readFully(bytes, buffer, 0))
  const whole = bytes.byteLength === undefined ? withHead(bytes, head) : bytes
  const compression = compressionOf(head)
  if (compression === undefined) return { ...forwarding(whole), close: () => Promise.resolve() }
  return chunkReader(bytes.path, compression === 'gzip' ? gunzip(whole) : unzstd(whole))
}

function forwarding(bytes: ByteReader): Omit<ByteReader, 'close'> {
  return {
    path: bytes.path,
    byteLength: bytes.byteLength,
    read: (into, position) => bytes.read(into, position),
  }
}

/** A stream whose first bytes are already read. */
export function withHead(bytes: ByteReader, head: Uint8Array): ByteReader {
  let rest = head
  return {
    ...forwarding(bytes),
    async read(into, position) {
      if (rest.length === 0) return bytes.read(into, position)
      const taken = rest.subarray(0, into.length)
      into.set(taken)
      rest = rest.subarray(taken.length)
      return taken.length
    },
    close: () => bytes.close(),
  }
}

function chunkReader(path: string, chunks: AsyncGenerator<Uint8Array, void, void>): ByteReader {
  return {
    path,
    byteLength: undefined,
    read: readChunks(() => chunks.next()),
    async close() {
      await chunks.return()
    },
  }
}
