import type { SegmentFile } from '../format/segment/segment-file.js'
import type { NumberedLayer, RoutedLayer } from './layer/layer.js'
import { numberNodes } from './layer/number-nodes.js'
import type { Uses } from './run/run.js'
import { writeIds } from './segments/write-ids.js'
import { writeRecords } from './segments/write-records.js'
import type { IngestedFacts } from './ingest/ingested.js'

export interface AssignedNodes extends NumberedLayer {
  readonly idFiles: readonly SegmentFile[]
  /** The fields segments; none in a build without fields. */
  readonly fieldFiles: readonly SegmentFile[]
}

/** Turns home counts into node numbers, and writes the ids and the fields in that order. */
export async function assignNodes(
  run: Uses<'options' | 'paths' | 'queues'>,
  routed: RoutedLayer,
  ingested: IngestedFacts,
): Promise<AssignedNodes> {
  const { fields, dimensions } = ingested
  const numbered = numberNodes(routed)
  const idFiles = await writeIds(run, ingested, numbered)
  const fieldFiles = fields === undefined ? [] : await writeRecords(run, 'fields', fields.records, numbered, dimensions)
  return { ...numbered, idFiles, fieldFiles }
}
