/** The compressions of Parquet pages, each to exactly the size that the header says. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import { compressors } from 'hyparquet-compressors'

type Codec = (packed: Uint8Array, size: number) => Uint8Array

/** Node's own where it has one: native, and it checks gzip's checksum. */
const CODECS: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ['UNCOMPRESSED', (packed) => packed],
  ['GZIP', (packed, size) => gunzipSync(packed, { maxOutputLength: Math.max(1, size) })],
  ['BROTLI', (packed, size) => brotliDecompressSync(packed, { maxOutputLength: Math.max(1, size) })],
  // Into memory of that size: on its own it would allocate what the frame claims.
  ['ZSTD', (packed, size) => unzstd(packed, new Uint8Array(size))],
  ...(['SNAPPY', 'LZ4', 'LZ4_RAW'] as const).map((name): [string, Codec] => [name, fromPackage(name)]),
])

function fromPackage(name: 'SNAPPY' | 'LZ4' | 'LZ4_RAW'): Codec {
  const decompress = compressors[name]
  if (decompress === undefined) throw new Error(`hyparquet-compressors has no ${name}`)
  return decompress
}

/** @throws Error, which the reader of the page gives a place, when the codec is unknown or the size another one */
export function decompressPage(packed: Uint8Array, size: number, codec: string): Uint8Array {
  const decompress = CODECS.get(codec)
  if (decompress === undefined) throw new Error(`the compression ${codec} is not read`)
  if (size < 0) throw new Error('it claims a size below 0')
  const plain = size === 0 ? new Uint8Array(0) : decompress(packed, size)
  if (plain.length !== size) throw new Error(`it has ${plain.length} bytes decompressed, expected ${size}`)
  return plain
}
