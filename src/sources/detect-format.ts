/** Which format a file is in: by its name when that says so, otherwise by its first bytes and its size. */
import path from 'node:path'
import { InvalidFileError } from '../errors.js'
import { readFully, type ByteReader } from './byte-reader.js'
import { NPY_MAGIC } from './npy.js'
import { readInt32, ROW_PREFIX_BYTES } from './vecs-rows.js'
import { MAX_DIMENSIONS, type VectorFileFormat } from './vector-file.js'

const FORMATS_BY_EXTENSION: ReadonlyMap<string, VectorFileFormat> = new Map([
  ['.fvecs', 'fvecs'],
  ['.bvecs', 'bvecs'],
  ['.npy', 'npy'],
  ['.jsonl', 'json-lines'],
  ['.ndjson', 'json-lines'],
])

/** Names that promise a format which is not read; guessing from their content could misread them. */
const UNREAD_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['.ivecs', 'ivecs holds neighbour numbers, not vectors'],
  ['.npz', 'npz is an archive; save one array with numpy.save'],
  ['.gz', 'it is compressed; decompress it first, or pipe JSON lines to standard input'],
  ['.zst', 'it is compressed; decompress it first, or pipe JSON lines to standard input'],
  ...['.fbin', '.u8bin', '.i8bin', '.ibin', '.hdf5', '.h5', '.parquet', '.arrow', '.csv'].map(
    (extension) => [extension, `${extension.slice(1)} is not read`] as const,
  ),
])

const UNREAD_MAGICS: readonly (readonly [magic: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'it is compressed with gzip; decompress it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'it is compressed with zstd; decompress it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'it is a zip archive (npz is one); save one array with numpy.save'],
  [[0x89, 0x48, 0x44, 0x46], 'HDF5 is not read'],
  [[0x50, 0x41, 0x52, 0x31], 'Parquet is not read'],
]

const READ_FORMATS = 'the formats are fvecs, bvecs, npy (float32) and JSON lines (.jsonl, .ndjson)'
const HEAD_BYTES = 4096

/** By name alone; undefined when the content must tell. @throws InvalidFileError for a name of a format that is not read */
export function formatByName(filePath: string): VectorFileFormat | undefined {
  const extension = path.extname(filePath).toLowerCase()
  const unread = UNREAD_EXTENSIONS.get(extension)
  if (unread !== undefined) throw new InvalidFileError(filePath, `${unread}; ${READ_FORMATS}`)
  return FORMATS_BY_EXTENSION.get(extension)
}

/** By the first bytes and the size. @throws InvalidFileError when no format fits, or both fvecs and bvecs do */
export async function formatByContent(bytes: ByteReader, byteLength: number): Promise<VectorFileFormat> {
  const buffer = new Uint8Array(HEAD_BYTES)
  const head = buffer.subarray(0, await readFully(bytes, buffer, 0))
  const startsWith = (magic: ArrayLike<number>): boolean =>
    head.length >= magic.length && head.subarray(0, magic.length).every((byte, i) => byte === magic[i])
  const unread = UNREAD_MAGICS.find(([magic]) => startsWith(magic))
  if (unread !== undefined) throw new InvalidFileError(bytes.path, `${unread[1]}; ${READ_FORMATS}`, { offset: 0 })
  if (startsWith(NPY_MAGIC)) return 'npy'
  if (looksLikeJson(head)) return 'json-lines'
  const fvecs = await hasVecsRows(bytes, byteLength, head, 4)
  const bvecs = await hasVecsRows(bytes, byteLength, head, 1)
  if (fvecs && bvecs) {
    throw new InvalidFileError(bytes.path, 'it could be fvecs or bvecs; name it with one of these extensions')
  }
  if (fvecs) return 'fvecs'
  if (bvecs) return 'bvecs'
  throw new InvalidFileError(bytes.path, `neither its name nor its first bytes tell a known format; ${READ_FORMATS}`, {
    offset: 0,
  })
}

/**
 * Text that begins with a brace, or with a bracket so that the reader can say what it wants instead of an array. JSON
 * has no zero byte; a bvecs row with d = 123 begins with '{' and has three.
 */
function looksLikeJson(head: Uint8Array): boolean {
  if (head.includes(0)) return false
  const text = Buffer.from(head)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  return text === '' || text.startsWith('{') || text.startsWith('[')
}

/** d in range, a whole number of rows, and the same d in the second and the last row. */
async function hasVecsRows(
  bytes: ByteReader,
  byteLength: number,
  head: Uint8Array,
  valueBytes: number,
): Promise<boolean> {
  if (head.length < ROW_PREFIX_BYTES) return false
  const dimensions = readInt32(head, 0)
  if (dimensions <= 0 || dimensions > MAX_DIMENSIONS) return false
  const rowBytes = ROW_PREFIX_BYTES + dimensions * valueBytes
  if (byteLength % rowBytes !== 0) return false
  const prefix = new Uint8Array(ROW_PREFIX_BYTES)
  for (const offset of [rowBytes, byteLength - rowBytes]) {
    if (offset >= byteLength) continue
    await readFully(bytes, prefix, offset)
    if (readInt32(prefix, 0) !== dimensions) return false
  }
  return true
}
