import type { SegmentFile } from '../../format/segment/segment-file.js'
import { nodeByOrdinalBytes, type BuildSizes, type StageMemory } from '../../plan/stage-memory.js'
import type { AssignedNodes } from '../assign-nodes.js'
import type { IngestedFacts } from '../ingest/ingested.js'
import type { PlannedRun } from '../run/run.js'
import { RECORD_HEAD_BYTES } from '../segments/numbered-records.js'
import { writeColumns } from './columns/write-columns.js'
import { writeText } from './write-text.js'

/** For tables of keywords and words, and the buffers of files. Fixed: with more, sorted runs are longer, and no better. */
const TABLE_BYTES = 32 * 2 ** 20
/** Chunks in which the fields segments are read. */
const READ_BYTES = 8 * 2 ** 20

/**
 * Writes the files of each field. They follow from the fields segments alone, whatever the memory. Returns all files of
 * fields; none in a build without fields.
 */
export async function indexFields(
  run: PlannedRun,
  { fieldFiles }: AssignedNodes,
  { fields: collected, count, dimensions }: IngestedFacts,
): Promise<SegmentFile[]> {
  if (collected === undefined) return []
  const written = { fields: collected.fields, count, dimensions, files: fieldFiles }
  return run.stage('fields', async () => [
    ...fieldFiles,
    ...(await writeColumns(run, written, TABLE_BYTES)),
    ...(await writeText(run, written, TABLE_BYTES)),
  ])
}

/** Undefined in a build without fields. Field rows are in queues once more on the way to their nodes, and as sorted runs. */
export function fieldsMemory(sizes: BuildSizes): StageMemory | undefined {
  const { count, fieldBytes } = sizes
  if (fieldBytes === 0) return undefined
  return {
    held: nodeByOrdinalBytes(sizes) + TABLE_BYTES + READ_BYTES,
    usesQueues: true,
    spills: 2 * count * (fieldBytes + RECORD_HEAD_BYTES),
  }
}
