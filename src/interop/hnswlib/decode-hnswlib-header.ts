/** The header of hnswlib's file, whoever wrote it: every number is checked before anything is made from it. */
import { MAX_DIMENSIONS } from '../../api/vectors.js'
import { DimensionMismatchError, InvalidFileError } from '../../errors.js'
import { HNSWLIB_HEADER_BYTES, hnswlibSizes, type HnswlibHeader } from './hnswlib-header.js'
import { MAX_LEVELS } from '../../format/graph/encode-upper.js'

/** What an index can hold. */
const LEAST_M = 4
const MOST_M = 64
const MAX_COUNT = 2 ** 32 - 2

/** The file that hnswlib writes where sizes have 4 bytes has such a header. */
const NARROW_HEADER_BYTES = 56

/**
 * `bytes`: the first 96 of the file, or all when it is shorter. `dimensions`: what the caller expects; the file only tells
 * the bytes of a vector.
 * @throws InvalidFileError, DimensionMismatchError
 */
export function decodeHnswlibHeader(
  bytes: Uint8Array,
  file: { path: string; byteLength: number; dimensions: number },
): HnswlibHeader {
  const { path, byteLength } = file
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isNarrow(view)) {
    throw new InvalidFileError(
      path,
      'it has sizes of 4 bytes, as hnswlib writes them in WebAssembly (hnswlib-wasm) and on 32-bit machines; ' +
        'only files of 64-bit hnswlib can be read',
    )
  }
  if (bytes.length < HNSWLIB_HEADER_BYTES) {
    throw new InvalidFileError(
      path,
      `it has ${bytes.length} bytes, and the header of an hnswlib index ${HNSWLIB_HEADER_BYTES}`,
    )
  }
  const expect = (at: number, name: string, got: number | bigint, expected: number | string, isSo: boolean): void => {
    if (isSo) return
    throw new InvalidFileError(path, `this is no hnswlib index: ${name} is ${got}, expected ${expected}`, {
      offset: at,
    })
  }
  const size = (at: number, name: string, least: number, most: number): number => {
    const value = view.getBigUint64(at, true)
    expect(at, name, value, `${least} to ${most}`, value >= BigInt(least) && value <= BigInt(most))
    return Number(value)
  }
  size(0, 'offsetLevel0', 0, 0)
  const m = size(72, 'M', 1, 2 ** 16)
  if (m < LEAST_M || m > MOST_M) {
    throw new InvalidFileError(path, `its M is ${m}; an index holds ${LEAST_M} to ${MOST_M}`, { offset: 72 })
  }
  size(56, 'maxM', m, m)
  size(64, 'maxM0', 2 * m, 2 * m)
  const { dataOffset } = hnswlibSizes({ m, dimensions: 0 })
  size(40, 'offsetData', dataOffset, dataOffset)
  const labelOffset = size(32, 'label_offset', dataOffset + 1, Number.MAX_SAFE_INTEGER)
  const vectorBytes = labelOffset - dataOffset
  const dimensions = vectorBytes / 4
  if (dimensions !== file.dimensions) {
    if (!Number.isInteger(dimensions)) {
      throw new InvalidFileError(path, `its vectors have ${vectorBytes} bytes, which are no float32 values`, {
        offset: 32,
      })
    }
    throw new DimensionMismatchError({
      ordinal: 0,
      expected: file.dimensions,
      got: dimensions,
      what: `${path}: vector`,
    })
  }
  expect(32, 'dimensions', dimensions, `1 to ${MAX_DIMENSIONS}`, dimensions <= MAX_DIMENSIONS)
  const { recordBytes } = hnswlibSizes({ m, dimensions })
  size(24, 'size_data_per_element', recordBytes, recordBytes)
  const count = size(16, 'cur_element_count', 0, MAX_COUNT)
  size(8, 'max_elements', count, Number.MAX_SAFE_INTEGER)
  const least = HNSWLIB_HEADER_BYTES + count * (recordBytes + 4)
  if (byteLength < least) {
    throw new InvalidFileError(
      path,
      `it is truncated: ${byteLength} bytes, and ${count} elements take ${least} or more`,
    )
  }
  const maxLevel = view.getInt32(48, true)
  const entryNode = view.getUint32(52, true)
  // An empty index has the level −1 and the node 2^32 − 1.
  if (count > 0) {
    expect(48, 'maxlevel', maxLevel, `0 to ${MAX_LEVELS}`, maxLevel >= 0 && maxLevel <= MAX_LEVELS)
    expect(52, 'enterpoint_node', entryNode, `0 to ${count - 1}`, entryNode < count)
  }
  return { count, dimensions, m, maxLevel, entryNode, efConstruction: Number(view.getBigUint64(88, true)) }
}

/** [0] offsetLevel0 [12] size_data_per_element [16] label_offset [20] offsetData [36] maxM0 [40] M, all u32. */
function isNarrow(view: DataView): boolean {
  if (view.byteLength < NARROW_HEADER_BYTES) return false
  const word = (at: number): number => view.getUint32(at, true)
  return (
    word(0) === 0 &&
    word(40) > 0 &&
    word(36) === 2 * word(40) &&
    word(20) === 4 * word(36) + 4 &&
    word(12) === word(16) + 4
  )
}
