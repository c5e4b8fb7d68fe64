import type { SegmentFile } from '../../format/segment/segment-file.js'
import type { Uses } from '../run/run.js'
import type { FieldsWritten } from './write-columns.js'

/** Writes terms, postings and lengths of all text fields. */
export async function writeText(
  _run: Uses<'options' | 'paths' | 'queues'>,
  _written: FieldsWritten,
  _budgetBytes: number,
): Promise<SegmentFile[]> {
  return []
}
