import type { GridSpec } from './grid-spec.js'
import { gridRowBytes } from './grid-spec.js'

/**
 * Bytes of the records in the queues between ingest and shards. All little-endian u32 words and raw rows, no padding;
 * a record is `[u32 ordinal][row]`.
 *
 * | queue         | row                                                     |
 * |---------------|---------------------------------------------------------|
 * | ingest        | columns: capacity x u32 ordinal, then capacity x float32 row |
 * | shard home    | float32 vector                                          |
 * | shard replica | grid row                                                |
 * | upper layer   | grid row, for both home and replica                     |
 */
export type RowKind = 'vectors' | 'grid'

/** Header of a batch whose ordinals and rows lie in two columns. */
export interface ColumnHeader {
  /** Rows the columns have room for; the batch's count says how many are used. */
  readonly capacity: number
}

export function rowBytesOf(kind: RowKind, spec: GridSpec): number {
  return kind === 'vectors' ? 4 * spec.dimensions : gridRowBytes(spec)
}

/** Bytes of one `[u32 ordinal][row]` record. */
export function recordBytesOf(kind: RowKind, spec: GridSpec): number {
  return 4 + rowBytesOf(kind, spec)
}

/** Bytes of a column batch for `capacity` rows. */
export function columnBatchBytes(capacity: number, rowBytes: number): number {
  return capacity * (4 + rowBytes)
}
