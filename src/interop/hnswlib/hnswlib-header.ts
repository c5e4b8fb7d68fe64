/**
 * The bytes of hnswlib's own file (version 0.8, `saveIndex`, 64-bit). Little-endian, packed.
 *
 * Header: [0] u64 offsetLevel0 = 0 [8] u64 max_elements [16] u64 cur_element_count [24] u64 size_data_per_element
 * [32] u64 label_offset [40] u64 offsetData [48] i32 maxlevel [52] u32 enterpoint [56] u64 maxM [64] u64 maxM0 [72] u64 M
 * [80] f64 mult [88] u64 efConstruction.
 * Then a record for each element: u16 link count, u8 flags (bit 0: deleted), u8 0, maxM0 x u32, dimensions x f32, u64 label.
 * Then for each element: u32 bytes, and that many: for each level from 1 up u16 link count, u16 0, maxM x u32.
 */
export const HNSWLIB_HEADER_BYTES = 96
/** Bit of the third byte of a record. */
export const HNSWLIB_DELETED = 1
export const HNSWLIB_LABEL_BYTES = 8

export interface HnswlibHeader {
  readonly count: number
  readonly dimensions: number
  readonly m: number
  /** The top level; 0 when there is none above level 0. */
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
  return { dataOffset, labelOffset, recordBytes: labelOffset + HNSWLIB_LABEL_BYTES, levelBytes: 4 * m + 4 }
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
