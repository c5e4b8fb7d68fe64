/**
 * The layout that fvecs, bvecs and ivecs share (corpus-texmex.irisa.fr): per row an i32 d, then d values,
 * little-endian, nothing else. There is no count in the file, so a file cut exactly between two rows is a valid shorter
 * file.
 */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, readExactly, readFully, type ByteReader } from '../bytes/byte-reader.js'
import { rowsPerBatch } from '../vector-file.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'

export interface VecsLayout {
  readonly count: number
  readonly dimensions: number
  readonly rowBytes: number
}

/** Whole rows with their prefixes, from the front of a buffer that the next chunk overwrites. */
export interface VecsChunk {
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array
  readonly firstRow: number
  readonly rows: number
}

export const ROW_PREFIX_BYTES = 4

/** The little-endian i32 at `at`, which need not be aligned. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}

/**
 * Count and dimensions from the first row's d and the size.
 * @throws InvalidFileError for an empty file, a d outside 1..65536, a size that is not a whole number of rows
 */
export async function vecsLayout(bytes: ByteReader, format: string, valueBytes: number): Promise<VecsLayout> {
  const byteLength = knownByteLength(bytes, format)
  const prefix = new Uint8Array(ROW_PREFIX_BYTES)
  const got = await readFully(bytes, prefix, 0)
  if (got < ROW_PREFIX_BYTES) {
    const what = got === 0 ? 'it is empty' : 'it is truncated'
    throw new InvalidFileError(bytes.path, `${what}: ${format} begins with a row's d (4 bytes), got ${got} bytes`, {
      offset: got,
    })
  }
  const dimensions = readInt32(prefix, 0)
  if (dimensions <= 0 || dimensions > MAX_DIMENSIONS) throw badDimensions(bytes.path, format, dimensions)
  const rowBytes = ROW_PREFIX_BYTES + dimensions * valueBytes
  const count = Math.floor(byteLength / rowBytes)
  if (count * rowBytes !== byteLength) throw truncated(bytes.path, byteLength, { count, dimensions, rowBytes })
  return { count, dimensions, rowBytes }
}

function badDimensions(path: string, format: string, dimensions: number): InvalidFileError {
  const reason = `row 0 has d = ${dimensions}, expected 1 to ${MAX_DIMENSIONS}; it is not ${format}, or it is damaged`
  return new InvalidFileError(path, reason, { offset: 0 })
}

function truncated(path: string, byteLength: number, { count, dimensions, rowBytes }: VecsLayout): InvalidFileError {
  return new InvalidFileError(
    path,
    `it is truncated, or its rows differ in length: with d = ${dimensions} a row is ${rowBytes} bytes, so expected a ` +
      `multiple of ${rowBytes}, got ${byteLength} bytes (${count} rows and ${byteLength - count * rowBytes} bytes)`,
    { offset: count * rowBytes },
  )
}

/**
 * Yields the rows from `startAt` on in chunks of at most 1 MiB, and compares each row's d with the first row's.
 * @throws InvalidFileError at a row with another d, after the rows before it are yielded
 */
export async function* vecsChunks(
  bytes: ByteReader,
  layout: VecsLayout,
  startAt: number,
): AsyncGenerator<VecsChunk, void, void> {
  const { count, dimensions, rowBytes } = layout
  const rowsPerChunk = Math.min(count, rowsPerBatch(dimensions))
  const buffer = new ArrayBuffer(rowsPerChunk * rowBytes)
  for (let firstRow = startAt; firstRow < count; firstRow += rowsPerChunk) {
    const wanted = Math.min(rowsPerChunk, count - firstRow)
    const chunk = new Uint8Array(buffer, 0, wanted * rowBytes)
    await readExactly(bytes, chunk, firstRow * rowBytes)
    const rows = rowsBeforeMismatch(chunk, wanted, layout)
    // Read before the yield: the consumer may overwrite the chunk.
    const found = rows < wanted ? readInt32(chunk, rows * rowBytes) : dimensions
    if (rows > 0) yield { buffer, bytes: chunk.subarray(0, rows * rowBytes), firstRow, rows }
    if (rows < wanted) {
      const row = firstRow + rows
      throw new InvalidFileError(bytes.path, `row ${row} has d = ${found}, expected ${dimensions} as in row 0`, {
        offset: row * rowBytes,
      })
    }
  }
}

function rowsBeforeMismatch(chunk: Uint8Array, rows: number, { dimensions, rowBytes }: VecsLayout): number {
  let row = 0
  while (row < rows && readInt32(chunk, row * rowBytes) === dimensions) row++
  return row
}
