import type { FieldRowReader } from '../../../fields/field-row-reader.js'
import type { SegmentFile } from '../../../format/segment/segment-file.js'

/** Writes the column of one field, with its dictionary if it has one, from the rows of fields by node. */
export interface ColumnWriter {
  /** Takes the value of the next row. A promise where there is no room at once. */
  add(row: FieldRowReader): Promise<void> | undefined
  /** After the last row. */
  finish(): Promise<SegmentFile[]>
  /** Idempotent. Gives up what is not finished. */
  close(): void
}
