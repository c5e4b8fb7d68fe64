/** Rows and ids that an interrupted build had in files, and what follows from them. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readBatches, recoverQueue, type FileBatchRef, type RecoveredQueue } from '../../spill/index.js'
import { CorruptSpillError } from '../errors.js'
import { decodeIdBytes } from '../format/ids.js'
import { throwIfAborted, type BuildContext } from './build-context.js'
import type { IdCollector } from './collect-ids.js'
import type { IngestEntry } from './journal.js'
import type { ColumnHeader } from './layer-records.js'
import { eachIdRecord } from './settle-ids.js'

export interface RecoveredIngest {
  readonly entry: IngestEntry
  readonly rows: RecoveredQueue
  readonly ids: RecoveredQueue & { readonly given: boolean }
}

/** The newest checkpoint whose batches are whole; undefined when there is none. */
export async function recoverIngest(context: BuildContext): Promise<RecoveredIngest | undefined> {
  const { resume, paths, log } = context
  if (resume?.finished === undefined) return undefined
  const entries = resume.finished.ingest
  for (const entry of entries.toReversed()) {
    try {
      const rows = await recoverQueue(paths.spillDir, 'ingest', entry.rowBatches)
      const ids = await recoverQueue(paths.spillDir, 'ids', entry.idBatches)
      if (rows.batches < entry.rowBatches || ids.batches < entry.idBatches) continue
      resume.takenOver.vectors = entry.ordinals
      return { entry, rows, ids: { ...ids, given: entry.idsGiven } }
    } catch (error) {
      if (!(error instanceof CorruptSpillError)) throw error
      log.event('resume-partly', `vectors that were ingested cannot be taken over: ${error.message}`)
    }
  }
  if (entries.length > 0)
    log.event('resume-partly', 'the source is read from its beginning: its vectors are not in files')
  // Not even the first checkpoint: what is in the files is of no use.
  await recoverQueue(paths.spillDir, 'ingest', 0)
  await recoverQueue(paths.spillDir, 'ids', 0)
  return undefined
}

/** Ordinals ascend and those without a row were dropped. */
export async function replayRows(
  context: BuildContext,
  { entry, rows }: RecoveredIngest,
  dimensions: number,
  visit: {
    row: (ordinal: number, rows: Float32Array, at: number) => void
    batch: (count: number) => void
    dropped: (ordinal: number) => void
  },
): Promise<void> {
  let next = 0
  const dropUntil = (ordinal: number): void => {
    while (next < ordinal) visit.dropped(next++)
  }
  for (const { header, count, bytes } of readBatches<ColumnHeader>(framesOf(rows))) {
    const ordinals = new Uint32Array(bytes.buffer, bytes.byteOffset, count)
    const values = new Float32Array(bytes.buffer, bytes.byteOffset + 4 * header.capacity, count * dimensions)
    for (let i = 0; i < count; i++) {
      dropUntil(ordinals[i])
      visit.row(next++, values, i * dimensions)
    }
    visit.batch(count)
    await pause(context, next)
  }
  dropUntil(entry.ordinals)
}

export async function replayIds(
  context: BuildContext,
  { ids }: RecoveredIngest,
  collector: IdCollector,
): Promise<void> {
  let done = 0
  for (const { bytes } of readBatches<null>(framesOf(ids))) {
    let pushed: Promise<void> | undefined
    eachIdRecord(bytes, (ordinal, from, to) => {
      const id = decodeIdBytes(
        Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from),
        `id of vector ${ordinal}`,
        'build',
      )
      const push = collector.file(id, to - from, ordinal)
      if (push !== undefined) pushed = pushed === undefined ? push : Promise.all([pushed, push]).then(() => undefined)
      done++
    })
    await pushed
    await pause(context, done)
  }
}

function framesOf(queue: RecoveredQueue): FileBatchRef[] {
  return queue.files.flatMap(({ frames }) => frames)
}

/** Reading is synchronous: an abort must be heard between two batches. */
async function pause(context: BuildContext, done: number): Promise<void> {
  await nextTurn()
  throwIfAborted(context)
  context.log.progress(done, undefined, 'vectors')
}
