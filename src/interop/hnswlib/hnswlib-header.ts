/**
 * The bytes of hnswlib's own file (version 0.8, `saveIndex`, 64-bit). Little-endian, packed.
 *
 * Header: [0] u64 offsetLevel0 = 0 [8] u64 max_elements [16] u64 cur_element_count [24] u64 size_data_per_element
 * [32] u64 label_offset [40] u64 offsetData [48] i32 maxlevel [52] u32 enterpoint [56] u64 maxM [64] u64 maxM0
 * [72] u64 M [80] f64 mult [88] u64 efConstruction.
 * Then a record for each element: u16 link count, u8 flags (bit 0: deleted), u8 0, maxM0 x u32, dimensions x f32,
 * u64 label.
 * Then for each element: u32 bytes of links, and for each level from 1 up: u16 link count, u16 0, maxM x u32.
 */
import { DimensionMismatchError, InvalidFileError } from '../../errors.js'
import { MAX_LEVELS } from '../../format/graph/upper.js'

export const HNSWLIB_HEADER_BYTES = 96
/** Bit of the third byte of a record. */
export const HNSWLIB_DELETED = 1
const LABEL_BYTES = 8
/** The header of files that hnswlib writes where sizes have 4 bytes. */
const NARROW_HEADER_BYTES = 56

/** What an index can hold. */
const LEAST_M = 4
const MOST_M = 64
const MAX_DIMENSIONS = 65_536
const MAX_COUNT = 2 ** 32 - 2

export interface HnswlibHeader {
  readonly count: number
  readonly dimensions: number
  readonly m: number
  /** The top level; 0 when there is no level above 0. */
  readonly maxLevel: number
  readonly entryNode: number
  readonly efConstruction: number
}

/** Sizes that follow from m and dimensions, in bytes. */
export function hnswlibSizes({ m, dimensions }: { m: number; dimensions: number }): {
  dataOffset: number
  labelOffset: number
  recordBytes: number
  levelBytes: number
} {
  const dataOffset = 4 * 2 * m + 4
  const labelOffset = dataOffset + 4 * dimensions
  return { dataOffset, labelOffset, recordBytes: labelOffset + LABEL_BYTES, levelBytes: 4 * m + 4 }
}

export function encodeHnswlibHeader(header: HnswlibHeader): Uint8Array {
  const { count, m, maxLevel, entryNode, efConstruction } = header
  const { dataOffset, labelOffset, recordBytes } = hnswlibSizes(header)
  const bytes = new Uint8Array(HNSWLIB_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const size = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true)
  size(0, 0)
  size(8, count)
  size(16, count)
  size(24, recordBytes)
  size(32, labelOffset)
  size(40, dataOffset)
  view.setInt32(48, maxLevel, true)
  view.setUint32(52, entryNode, true)
  size(56, m)
  size(64, 2 * m)
  size(72, m)
  view.setFloat64(80, 1 / Math.log(m), true)
  size(88, efConstruction)
  return bytes
}

/**
 * Checks every number of the header before anything is made from it. `bytes`: the first 96 of the file, or all when it
 * is shorter. `dimensions`: what the caller expects; the file only has the bytes of a vector.
 * @throws InvalidFileError, DimensionMismatchError
 */
export function decodeHnswlibHeader(
  bytes: Uint8Array,
  file: { path: string; byteLength: number; dimensions: number },
): HnswlibHeader {
  const fields = new HeaderFields(bytes, file.path)
  const m = readM(fields)
  const dimensions = readDimensions(fields, m, file.dimensions)
  const { recordBytes } = hnswlibSizes({ m, dimensions })
  fields.size(24, 'size_data_per_element', recordBytes, recordBytes)
  const count = fields.size(16, 'cur_element_count', 0, MAX_COUNT)
  fields.size(8, 'max_elements', count, Number.MAX_SAFE_INTEGER)
  const least = HNSWLIB_HEADER_BYTES + count * (recordBytes + 4)
  if (file.byteLength < least) {
    throw fields.invalid(`it is truncated: ${file.byteLength} bytes, but ${count} elements take at least ${least}`)
  }
  const { view } = fields
  const maxLevel = view.getInt32(48, true)
  const entryNode = view.getUint32(52, true)
  // An empty index has the level −1 and the node 2^32 − 1.
  if (count > 0) {
    fields.expect(48, 'maxlevel', maxLevel, 0, MAX_LEVELS)
    fields.expect(52, 'enterpoint_node', entryNode, 0, count - 1)
  }
  return { count, dimensions, m, maxLevel, entryNode, efConstruction: Number(view.getBigUint64(88, true)) }
}

function readM(fields: HeaderFields): number {
  fields.size(0, 'offsetLevel0', 0, 0)
  const m = fields.size(72, 'M', 1, 2 ** 16)
  if (m < LEAST_M || m > MOST_M) throw fields.invalid(`its M is ${m}; an index holds ${LEAST_M} to ${MOST_M}`, 72)
  fields.size(56, 'maxM', m, m)
  fields.size(64, 'maxM0', 2 * m, 2 * m)
  return m
}

function readDimensions(fields: HeaderFields, m: number, expected: number): number {
  const { dataOffset } = hnswlibSizes({ m, dimensions: 0 })
  fields.size(40, 'offsetData', dataOffset, dataOffset)
  const labelOffset = fields.size(32, 'label_offset', dataOffset + 1, Number.MAX_SAFE_INTEGER)
  const vectorBytes = labelOffset - dataOffset
  const dimensions = vectorBytes / 4
  if (!Number.isInteger(dimensions)) {
    throw fields.invalid(`its vectors have ${vectorBytes} bytes, which is not a multiple of 4 (float32)`, 32)
  }
  if (dimensions !== expected) {
    const what = `${fields.path}: vector`
    throw new DimensionMismatchError({ ordinal: 0, expected, got: dimensions, what })
  }
  fields.expect(32, 'dimensions', dimensions, 1, MAX_DIMENSIONS)
  return dimensions
}

/** Numbers of a header, checked against their ranges. */
class HeaderFields {
  readonly path: string
  readonly view: DataView

  /** @throws InvalidFileError for a header that is short, or of 4-byte sizes */
  constructor(bytes: Uint8Array, path: string) {
    this.path = path
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (isNarrow(this.view)) {
      throw this.invalid(
        'it has sizes of 4 bytes, as hnswlib writes them in WebAssembly (hnswlib-wasm) and on 32-bit machines; ' +
          'only files of 64-bit hnswlib can be read',
      )
    }
    if (bytes.length < HNSWLIB_HEADER_BYTES) {
      throw this.invalid(`it has ${bytes.length} bytes, but the header of an hnswlib index has ${HNSWLIB_HEADER_BYTES}`)
    }
  }

  /** The u64 at byte `at`. @throws InvalidFileError unless it is in range */
  size(at: number, name: string, least: number, most: number): number {
    return this.expect(at, name, this.view.getBigUint64(at, true), least, most)
  }

  /** @throws InvalidFileError unless the value is in range */
  expect(at: number, name: string, value: number | bigint, least: number, most: number): number {
    if (value >= least && value <= most) return Number(value)
    const range = least === most ? String(least) : `${least} to ${most}`
    throw this.invalid(`this is not an hnswlib index: ${name} is ${value}, expected ${range}`, at)
  }

  invalid(reason: string, offset?: number): InvalidFileError {
    return new InvalidFileError(this.path, reason, offset === undefined ? undefined : { offset })
  }
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
