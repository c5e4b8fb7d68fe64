import type { Run } from '../run/run.js'
import type { ResumableSource } from '../../api/vectors.js'
import { recoverIngest } from './recover-ingest.js'
import { IdCollector } from './id-collector.js'
import { RowWriter } from './row-writer.js'
import { readSource } from './read-source.js'
import { SourceWait } from './source-wait.js'
import { countNote } from '../run/describe-source.js'
import { firstDimensions, isBatch } from './source-item.js'
import { throwIfAborted } from '../run/run.js'
import { EmptySourceError, SourceError, StalledError, AbortedError } from '../../errors.js'
import type { Ingested } from './ingested.js'
import type { BuildSizes, StageMemory } from '../../plan/stage-memory.js'
import { RECORD_HEAD_BYTES } from '../segments/numbered-records.js'
import { repeatedIdBytes } from './drop-repeated-ids.js'
import { sampleBytes } from './reservoir-sample.js'

/**
 * Reads the stream with backpressure, validates vectors, normalises them for cosine, keeps a sample and pushes batches.
 * At the end it drops repeated ids. Routing starts later: streams are often sorted by topic, so their first part is not
 * a representative sample.
 *
 * A resumable build writes rows and ids to files as the stream is read, and continues after those of an interrupted
 * build.
 */
export async function ingest(run: Run, source: ResumableSource): Promise<Ingested> {
  const { options, log, memory } = run
  const recovered = await recoverIngest(run)
  const ids = new IdCollector(run, recovered?.ids)
  let writer: RowWriter | undefined
  let ordinal = recovered?.entry.ordinals ?? 0
  if (recovered !== undefined) {
    writer = new RowWriter(run, ids, recovered.entry.dimensions, recovered)
    await writer.replay(recovered)
  }
  try {
    const rest = recovered?.entry.ended === true ? [] : source(ordinal)
    for await (const item of readSource(rest, () => ordinal, new SourceWait(run, () => ordinal))) {
      writer ??= new RowWriter(run, ids, firstDimensions(run, item))
      ordinal = isBatch(item, ordinal) ? await writer.addBatch(item, ordinal) : await writer.addRecord(item, ordinal)
      throwIfAborted(run)
      await writer.checkpointWhenDue(ordinal)
      const relief = memory.relief()
      if (relief !== undefined) await relief
      log.progress(ordinal, options.count, 'vectors')
    }
    const ingested = await writer?.finish(ordinal)
    if (ingested === undefined || ingested.count === 0) throw new EmptySourceError(ingested?.skippedInvalid)
    log.progress(ordinal, ordinal, 'vectors')
    const note = countNote(options.count, ordinal)
    if (note !== undefined) log.event('count', note)
    return ingested
  } catch (error) {
    const sourceFailed = error instanceof SourceError || error instanceof StalledError
    // Rows not yet validated may have an earlier error, which is the better one to report.
    if (sourceFailed) await writer?.flush()
    if (sourceFailed || error instanceof AbortedError) await writer?.lastCheckpoint(ordinal)
    throw error
  }
}

/** The sample, its copy when it is taken, and the open batches. */
export function ingestMemory(sizes: BuildSizes): StageMemory {
  const { count, vectorBytes, idBytes, fieldBytes } = sizes
  const hasFields = fieldBytes > 0
  return {
    held: sampleBytes(sizes) + OPEN_BATCHES_BYTES + (hasFields ? WAITING_FIELDS_BYTES : 0) + repeatedIdBytes(sizes),
    usesQueues: true,
    spills: count * (vectorBytes + idBytes + RECORD_HEAD_BYTES + (hasFields ? fieldBytes + RECORD_HEAD_BYTES : 0)),
  }
}

/** Batches of rows and ids that are being filled. */
const OPEN_BATCHES_BYTES = 4 * 2 ** 20
/** Field rows that wait for their batch, and the batch: the longest row is held several times. */
const WAITING_FIELDS_BYTES = 8 * 2 ** 20
