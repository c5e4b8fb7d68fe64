/**
 * Detects the format of a file. The content decides where it can: by first bytes that no other format has, or by a
 * header that fits the size of the file. The extension decides between formats that fit, and when no format fits: then
 * the reader of the named format says what is wrong.
 */
import path from 'node:path'
import { InvalidFileError } from '../errors.js'
import { ARROW_MAGIC } from './arrow/arrow-message.js'
import { readFully, type ByteReader } from './bytes/byte-reader.js'
import { BIN_HEADER_BYTES, BIN_TYPES, binHeader, type BinFormat } from './rows/plan-bin.js'
import { HDF5_MAGIC } from './rows/plan-hdf5.js'
import { NPY_MAGIC } from './rows/plan-npy.js'
import { PARQUET_MAGIC } from './parquet/parquet-magic.js'
import { compressionOf, plainText, type Compression } from './bytes/plain-text.js'
import { readInt32, ROW_PREFIX_BYTES } from './rows/vecs-layout.js'
import { beginsAsSafetensors } from './tensors/plan-safetensors.js'
import { ZIP_MAGIC } from './tensors/plan-npz.js'
import { UNREAD_FORMATS } from './unread-formats.js'
import { beginsWithWord, wordsHeader } from './lines/plan-word-vectors.js'
import type { ReadOptions, VectorFileFormat } from './vector-file.js'
import { MAX_DIMENSIONS } from '../api/vectors.js'

const FORMATS_BY_EXTENSION: ReadonlyMap<string, VectorFileFormat> = new Map([
  ['.fvecs', 'fvecs'],
  ['.bvecs', 'bvecs'],
  ['.npy', 'npy'],
  ['.npz', 'npz'],
  ['.safetensors', 'safetensors'],
  ['.fbin', 'fbin'],
  ['.u8bin', 'u8bin'],
  ['.i8bin', 'i8bin'],
  ['.hdf5', 'hdf5'],
  ['.h5', 'hdf5'],
  ['.parquet', 'parquet'],
  ['.arrow', 'arrow'],
  ['.arrows', 'arrow'],
  ['.feather', 'arrow'],
  ['.jsonl', 'json-lines'],
  ['.ndjson', 'json-lines'],
  ['.json', 'json-lines'],
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
  ['.tab', 'tsv'],
  ['.vec', 'word-vectors'],
  ['.glove', 'word-vectors'],
  ['.f32', 'raw'],
  ['.float32', 'raw'],
  ['.raw', 'raw'],
])

/** Read compressed too. Their names win over their content, which may begin as JSON. */
const TEXT_FORMATS: ReadonlySet<VectorFileFormat> = new Set(['json-lines', 'csv', 'tsv', 'word-vectors'])
/** Names that raw float32 has, when the caller says its dimensions. */
const RAW_EXTENSIONS: ReadonlySet<string> = new Set(['', '.bin', '.dat', '.data', '.mmap', '.memmap'])

type Magic = readonly [magic: ArrayLike<number>, format: VectorFileFormat]

const MAGICS: readonly Magic[] = [
  [NPY_MAGIC, 'npy'],
  [PARQUET_MAGIC, 'parquet'],
  [ARROW_MAGIC, 'arrow'],
  [HDF5_MAGIC, 'hdf5'],
  [ZIP_MAGIC, 'npz'],
]

const READ_FORMATS =
  'the formats are fvecs, bvecs, fbin, u8bin, i8bin, npy, npz, safetensors, parquet, arrow, hdf5, JSON lines and arrays, ' +
  'csv, tsv, word vectors (word2vec, GloVe), and raw float32 (.f32, with --dimensions); text also with gzip or zstd'
const HEAD_BYTES = 4096

/** The extension of a compressed file; the extension before it tells the format of the content. */
const COMPRESSED_NAME = /\.(gz|zst)$/i

/** The format by name alone; undefined when the name tells nothing. @throws InvalidFileError for an unread format */
export function formatByName(filePath: string): VectorFileFormat | undefined {
  const compressed = COMPRESSED_NAME.test(filePath)
  const extension = path.extname(filePath.replace(COMPRESSED_NAME, '')).toLowerCase()
  const unread = UNREAD_FORMATS.find(({ extensions }) => extensions?.includes(extension))
  if (unread !== undefined) throw new InvalidFileError(filePath, `${unread.what}; ${READ_FORMATS}`)
  const format = FORMATS_BY_EXTENSION.get(extension)
  if (compressed && format !== undefined && !TEXT_FORMATS.has(format)) throw onlyTextCompressed(filePath, format)
  return format
}

function onlyTextCompressed(filePath: string, what: string): InvalidFileError {
  return new InvalidFileError(filePath, `it is compressed ${what}; only text is read compressed: decompress it first`)
}

/**
 * The format by the first bytes, the size and the name.
 * @throws InvalidFileError with what was found when no format fits, when several do and the name does not decide, or
 * when name and content disagree
 */
export async function detectFormat(
  bytes: ByteReader,
  byteLength: number,
  { dimensions }: Pick<ReadOptions, 'dimensions'> = {},
): Promise<VectorFileFormat> {
  const named = formatByName(bytes.path)
  const buffer = new Uint8Array(HEAD_BYTES)
  const head = buffer.subarray(0, await readFully(bytes, buffer, 0))
  const fits = await formatsThatFit(bytes, byteLength, head)
  // The name first: rows and d of an fbin file may equal the first bytes of any format.
  if (named !== undefined && fits.some(({ format }) => format === named)) return named
  const compression = compressionOf(head)
  if (compression !== undefined) return formatInside(bytes, compression, named)
  const unread = UNREAD_FORMATS.find(({ magic }) => magic !== undefined && startsWith(head, magic))
  if (unread !== undefined) throw new InvalidFileError(bytes.path, `${unread.what}; ${READ_FORMATS}`, { offset: 0 })
  const marked = MAGICS.find(([magic]) => startsWith(head, magic))
  if (marked !== undefined) return marked[1]
  if (beginsAsArrowStream(head)) return 'arrow'
  if (beginsAsSafetensors(head, byteLength)) return 'safetensors'
  if (named !== undefined && named !== 'json-lines' && TEXT_FORMATS.has(named) && !head.includes(0)) return named
  if (looksLikeJson(head, named === undefined)) return 'json-lines'
  const words = wordsFormat(head)
  if (words !== undefined && fits.length === 0) return words
  if (named !== undefined) {
    // One or two rows may fit by chance, as in a truncated file.
    const other = fits.filter(({ count }) => count > 2).map(({ format }) => format)
    if (other.length === 0) return named
    const reason = `its name says ${named}, but its header and size fit ${other.join(' or ')}; rename it`
    throw new InvalidFileError(bytes.path, reason, { offset: 0 })
  }
  if (fits.length === 1) return fits[0].format
  if (fits.length > 1) {
    const several = fits.map(({ format }) => format).join(' or ')
    throw new InvalidFileError(bytes.path, `it could be ${several}; name it with one of these extensions`)
  }
  if (dimensions !== undefined && RAW_EXTENSIONS.has(path.extname(bytes.path).toLowerCase())) return 'raw'
  throw new InvalidFileError(
    bytes.path,
    `neither its name nor its content is of a known format: it has ${byteLength} bytes and begins with ` +
      `${beginning(head)}; ${READ_FORMATS}`,
    { offset: 0 },
  )
}

/** Only text is read compressed. */
async function formatInside(
  bytes: ByteReader,
  compression: Compression,
  named: VectorFileFormat | undefined,
): Promise<VectorFileFormat> {
  const text = await plainText(bytes)
  try {
    const buffer = new Uint8Array(HEAD_BYTES)
    const head = buffer.subarray(0, await readFully(text, buffer, 0))
    if (named !== undefined && named !== 'json-lines' && !head.includes(0)) return named
    if (looksLikeJson(head, true)) return 'json-lines'
    const marked = MAGICS.find(([magic]) => startsWith(head, magic))
    throw onlyTextCompressed(
      bytes.path,
      `with ${compression}, and is ${marked?.[1] ?? `not text: ${beginning(head)}`} inside`,
    )
  } finally {
    await text.close()
  }
}

function startsWith(head: Uint8Array, magic: ArrayLike<number>): boolean {
  return head.length >= magic.length && head.subarray(0, magic.length).every((byte, i) => byte === magic[i])
}

/** A marker that cannot be a number of rows or dimensions, then a metadata length: a multiple of 8, below 16 MiB. */
function beginsAsArrowStream(head: Uint8Array): boolean {
  if (head.length < 8 || !startsWith(head, [0xff, 0xff, 0xff, 0xff])) return false
  const length = new DataView(head.buffer, head.byteOffset).getUint32(4, true)
  return length > 0 && length % 8 === 0 && length < 2 ** 24
}

/** The first bytes for messages: text as text, anything else in hex. */
function beginning(head: Uint8Array): string {
  const text = Buffer.from(head.subarray(0, 32)).toString('latin1')
  return /^[\t\n\r -~]+$/.test(text) ? JSON.stringify(text) : `0x${Buffer.from(head.subarray(0, 16)).toString('hex')}`
}

/**
 * Text that begins with a brace, or with a bracket, so that the reader can say what it expects instead of an array.
 * JSON has no zero byte; a bvecs row with d = 123 begins with '{' and has three.
 */
function looksLikeJson(head: Uint8Array, orBlank: boolean): boolean {
  if (head.includes(0)) return false
  const text = Buffer.from(head)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  return (orBlank && text === '') || text.startsWith('{') || text.startsWith('[')
}

/** No text has these control characters. */
function isBinary(head: Uint8Array): boolean {
  return head.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20))
}

/** Word vectors: behind a line with their number, or text that begins with a word and numbers. */
function wordsFormat(head: Uint8Array): VectorFileFormat | undefined {
  if (wordsHeader(head) !== undefined) return isBinary(head) ? 'word2vec' : 'word-vectors'
  return !isBinary(head) && beginsWithWord(Buffer.from(head).toString('utf8')) ? 'word-vectors' : undefined
}

interface Fit {
  readonly format: VectorFileFormat
  readonly count: number
}

/** The formats without a magic number whose header fits exactly this size. */
async function formatsThatFit(bytes: ByteReader, byteLength: number, head: Uint8Array): Promise<Fit[]> {
  const fits: Fit[] = []
  for (const [format, valueBytes] of [
    ['fvecs', 4],
    ['bvecs', 1],
  ] as const) {
    const count = await vecsRows(bytes, byteLength, head, valueBytes)
    if (count > 0) fits.push({ format, count })
  }
  if (head.length < BIN_HEADER_BYTES) return fits
  const { count, dimensions } = binHeader(head)
  if (dimensions <= 0 || dimensions > MAX_DIMENSIONS || count === 0) return fits
  for (const format of Object.keys(BIN_TYPES) as BinFormat[]) {
    if (byteLength === BIN_HEADER_BYTES + count * dimensions * BIN_TYPES[format].bytes) fits.push({ format, count })
  }
  return fits
}

/**
 * Rows of fvecs or bvecs: d in range, a whole number of rows, the same d in the second and the last row; otherwise 0.
 */
async function vecsRows(bytes: ByteReader, byteLength: number, head: Uint8Array, valueBytes: number): Promise<number> {
  if (head.length < ROW_PREFIX_BYTES) return 0
  const dimensions = readInt32(head, 0)
  if (dimensions <= 0 || dimensions > MAX_DIMENSIONS) return 0
  const rowBytes = ROW_PREFIX_BYTES + dimensions * valueBytes
  if (byteLength % rowBytes !== 0) return 0
  const prefix = new Uint8Array(ROW_PREFIX_BYTES)
  for (const offset of [rowBytes, byteLength - rowBytes]) {
    if (offset >= byteLength) continue
    await readFully(bytes, prefix, offset)
    if (readInt32(prefix, 0) !== dimensions) return 0
  }
  return byteLength / rowBytes
}
