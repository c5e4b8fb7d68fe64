/** Decompresses Parquet pages to exactly the size in their header. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import { compressors } from 'hyparquet-compressors'

type Codec = (packed: Uint8Array, size: number) => Uint8Array

/** Node's codecs where it has them: they are native, and check gzip's checksum. */
const CODECS: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ['UNCOMPRESSED', (packed) => packed],
  ['GZIP', (packed, size) => gunzipSync(packed, { maxOutputLength: Math.max(1, size) })],
  ['BROTLI', (packed, size) => brotliDecompressSync(packed, { maxOutputLength: Math.max(1, size) })],
  // Into a buffer of that size: otherwise fzstd allocates the size that the frame claims.
  ['ZSTD', (packed, size) => unzstd(packed, new Uint8Array(size))],
  ...(['SNAPPY', 'LZ4', 'LZ4_RAW'] as const).map((name): [string, Codec] => [name, fromPackage(name)]),
])

function fromPackage(name: 'SNAPPY' | 'LZ4' | 'LZ4_RAW'): Codec {
  const decompress = compressors[name]
  if (decompress === undefined) throw new Error(`hyparquet-compressors has no ${name}`)
  return decompress
}

/** @throws Error when the codec is unknown or the size differs; the reader of the page adds the place */
export function decompressPage(packed: Uint8Array, size: number, codec: string): Uint8Array {
  const decompress = CODECS.get(codec)
  if (decompress === undefined) throw new Error(`the compression ${codec} is not read`)
  if (size < 0) throw new Error('it claims a size below 0')
  const plain = size === 0 ? new Uint8Array(0) : decompress(packed, size)
  if (plain.length !== size) throw new Error(`it has ${plain.length} bytes decompressed, expected ${size}`)
  return plain
}
