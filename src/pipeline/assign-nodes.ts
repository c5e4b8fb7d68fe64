import type { SegmentFile } from '../format/segment/segment-file.js'
import type { NumberedLayer, RoutedLayer } from './layer/layer.js'
import { numberNodes } from './layer/number-nodes.js'
import type { Uses } from './run/run.js'
import { writeIds } from './segments/write-ids.js'
import type { IngestedFacts } from './ingest/ingested.js'

export interface AssignedNodes extends NumberedLayer {
  readonly idFiles: readonly SegmentFile[]
}

/** Turns home counts into node numbers, and writes the ids in that order. */
export async function assignNodes(
  run: Uses<'options' | 'paths' | 'queues'>,
  routed: RoutedLayer,
  ingested: IngestedFacts,
): Promise<AssignedNodes> {
  const numbered = numberNodes(routed)
  return { ...numbered, idFiles: await writeIds(run, ingested, numbered) }
}
