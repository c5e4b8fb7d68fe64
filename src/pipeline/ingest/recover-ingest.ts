/** Recovers the rows, ids and fields that an interrupted build wrote to files, and the state that follows from them. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkQueue, cutQueue, type CheckedQueue, type RecoveredQueue } from '../../../spill/files/recover-queue.js'
import { readBatches } from '../../../spill/read-batches.js'
import type { FileBatchRef } from '../../../spill/batch.js'
import { CorruptSpillError } from '../../errors.js'
import type { FieldCollector } from './field-collector.js'
import type { IdCollector } from './id-collector.js'
import type { IngestEntry } from '../resume/journal.js'
import { columnBatchBytes, type ColumnHeader } from '../../rows/record-layout.js'
import { eachRecord, recordsProblem } from '../segments/numbered-records.js'
import type { Uses } from '../run/run.js'
import { throwIfAborted } from '../run/run.js'
import { decodeIdBytes } from '../../format/ids/encode-ids.js'

export interface RecoveredIngest {
  readonly entry: IngestEntry
  readonly rows: RecoveredQueue
  readonly ids: RecoveredQueue & { readonly given: boolean }
  /** Only in a build with fields. */
  readonly fields?: RecoveredQueue
}

const ROWS = 'ingest'
const IDS = 'ids'
const FIELDS = 'fields'

/** The newest checkpoint whose batches are complete; undefined when there is none. Reads every file once. */
export async function recoverIngest({
  options,
  resume,
  paths,
  log,
}: Uses<'options' | 'resume' | 'paths' | 'log'>): Promise<RecoveredIngest | undefined> {
  if (resume?.finished === undefined) return undefined
  const entries = resume.finished.ingest
  const check = (name: string, of: (entry: IngestEntry) => number): Promise<CheckedQueue> =>
    checkQueue(
      paths.spillDir,
      name,
      entries.reduce((max, one) => Math.max(max, of(one)), 0),
    )
  const rows = await check(ROWS, ({ rowBatches }) => rowBatches)
  const ids = await check(IDS, ({ idBatches }) => idBatches)
  const fields = options.fields === undefined ? undefined : await check(FIELDS, ({ fieldBatches = 0 }) => fieldBatches)
  for (const damage of [rows.damage, ids.damage, fields?.damage]) {
    if (damage !== undefined)
      log.event('resume-partly', `vectors that were ingested cannot be taken over: ${damage.message}`)
  }
  const { dimensions } = options
  const entry = entries.findLast(
    (one) => (dimensions ?? one.dimensions) === one.dimensions && isInFiles(one, { rows, ids, fields }),
  )
  if (entry === undefined && entries.length > 0) {
    log.event('resume-partly', 'the source is read from its beginning: its vectors are not in files')
  }
  // Batches after the checkpoint are not usable. Without a checkpoint, no batch is.
  const keptRows = await cutQueue(paths.spillDir, ROWS, rows, entry?.rowBatches ?? 0)
  const keptIds = await cutQueue(paths.spillDir, IDS, ids, entry?.idBatches ?? 0)
  const keptFields = fields && (await cutQueue(paths.spillDir, FIELDS, fields, entry?.fieldBatches ?? 0))
  if (entry === undefined) return undefined
  resume.reused.vectors = entry.ordinals
  return {
    entry,
    rows: keptRows,
    ids: { ...keptIds, given: entry.idsGiven },
    ...(keptFields !== undefined && { fields: keptFields }),
  }
}

/**
 * Whether the files contain the batches of a queue that has a record for every vector. How many there are is known when
 * they are read. True for a queue that neither this build nor the entry has.
 */
function hasRecords(entry: IngestEntry, queue: RecoveredQueue | undefined, batches: number | undefined): boolean {
  if (queue === undefined || batches === undefined) return queue === undefined && batches === undefined
  return queue.batches >= batches && (batches > 0 || entry.ordinals === 0)
}

/** Whether the files contain the batches that the entry counts, with as many rows of its dimensions as it states. */
function isInFiles(
  entry: IngestEntry,
  { rows, ids, fields }: { rows: RecoveredQueue; ids: RecoveredQueue; fields: RecoveredQueue | undefined },
): boolean {
  if (!hasRecords(entry, ids, entry.idBatches) || !hasRecords(entry, fields, entry.fieldBatches)) return false
  if (rows.batches < entry.rowBatches) return false
  const recordBytes = columnBatchBytes(1, 4 * entry.dimensions)
  let batches = 0
  let rowCount = 0
  for (const { count, payloadBytes } of framesOf(rows)) {
    if (batches++ === entry.rowBatches) break
    if (payloadBytes % recordBytes !== 0 || payloadBytes < count * recordBytes) return false
    rowCount += count
  }
  return rowCount + entry.skippedInvalid === entry.ordinals
}

/**
 * Visits the rows in order. Ordinals ascend, and those without a row were dropped. Throws CorruptSpillError when an
 * intact frame does not match the entry.
 */
export async function replayRows(
  run: Uses<'options' | 'log'>,
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
  const frames = framesOf(rows)
  let index = 0
  for (const { header, count, bytes } of readBatches<ColumnHeader | null>(frames)) {
    const { path, offset } = frames[index++]
    const capacity = header?.capacity ?? 0
    if (columnBatchBytes(capacity, 4 * dimensions) !== bytes.byteLength) {
      throw new CorruptSpillError(path, offset, `${bytes.byteLength} bytes are no ${capacity} rows of ${dimensions}`)
    }
    const ordinals = new Uint32Array(bytes.buffer, bytes.byteOffset, count)
    const values = new Float32Array(bytes.buffer, bytes.byteOffset + 4 * capacity, count * dimensions)
    for (let i = 0; i < count; i++) {
      if (ordinals[i] < next || ordinals[i] >= entry.ordinals) {
        throw new CorruptSpillError(path, offset, `vector ${ordinals[i]} where ${next} of ${entry.ordinals} is due`)
      }
      dropUntil(ordinals[i])
      visit.row(next++, values, i * dimensions)
    }
    visit.batch(count)
    await pause(run, next)
  }
  dropUntil(entry.ordinals)
}

/**
 * Passes one id for each ordinal to the collector, in order. Throws CorruptSpillError when an intact frame does not
 * match the entry.
 */
export function replayIds(
  run: Uses<'options' | 'log'>,
  { entry, ids }: RecoveredIngest,
  collector: IdCollector,
): Promise<void> {
  return replayRecords(run, entry, ids, { one: 'id', many: 'ids' }, (bytes, path) => {
    let pushed: Promise<void> | undefined
    eachRecord(bytes, (ordinal, from, to) => {
      const id = decodeIdBytes(
        Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from),
        `id of vector ${ordinal}`,
        path,
      )
      const push = collector.file(id, to - from, ordinal)
      if (push !== undefined) pushed = pushed === undefined ? push : Promise.all([pushed, push]).then(() => undefined)
    })
    return pushed
  })
}

/** Counts one field row for each ordinal. Throws CorruptSpillError when an intact frame does not match the entry. */
export function replayFields(
  run: Uses<'options' | 'log'>,
  { entry, fields }: RecoveredIngest,
  collector: FieldCollector,
): Promise<void> {
  if (fields === undefined) return Promise.resolve()
  return replayRecords(run, entry, fields, { one: 'field row', many: 'field rows' }, (bytes) => {
    eachRecord(bytes, (_, from, to) => collector.count(to - from))
    return undefined
  })
}

/** Passes batches of records, one record for each ordinal, in order. */
async function replayRecords(
  run: Uses<'options' | 'log'>,
  entry: IngestEntry,
  queue: RecoveredQueue,
  what: { readonly one: string; readonly many: string },
  take: (bytes: Uint8Array, path: string) => Promise<void> | undefined,
): Promise<void> {
  let done = 0
  const frames = framesOf(queue)
  let index = 0
  for (const { bytes } of readBatches<null>(frames)) {
    const { path, offset } = frames[index++]
    const problem = recordsProblem(bytes, done, what)
    if (problem !== undefined) throw new CorruptSpillError(path, offset, problem)
    eachRecord(bytes, () => done++)
    await take(bytes, path)
    await pause(run, done)
  }
  const last = frames.at(-1)
  if (done !== entry.ordinals && last !== undefined) {
    throw new CorruptSpillError(last.path, last.offset, `${what.many} of ${done} vectors, expected ${entry.ordinals}`)
  }
}

function framesOf(queue: RecoveredQueue): (FileBatchRef & { readonly payloadBytes: number })[] {
  return queue.files.flatMap(({ frames }) => frames)
}

/** Reading is synchronous, so an abort can take effect only between two batches. */
async function pause(run: Uses<'options' | 'log'>, done: number): Promise<void> {
  await nextTurn()
  throwIfAborted(run)
  run.log.progress(done, undefined, 'vectors')
}
