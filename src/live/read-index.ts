import { crc32 } from '../../spill/files/crc32.js'
import type { DescribedSource, GivenBatch } from '../api/vectors.js'
import { CorruptIndexError, PathError } from '../errors.js'
import { decodeColumns } from '../fields/decode-columns.js'
import { FieldRowList } from '../fields/field-row-list.js'
import { FieldRows } from '../fields/field-rows.js'
import { schemaOf } from '../fields/schema.js'
import { readCurrent } from '../format/generation/current.js'
import { readParts, type LiveSettings } from '../format/live/parts-file.js'
import type { AliveRows } from '../search/live/alive-rows.js'
import { GraphPart } from '../search/live/graph-part.js'
import type { LiveState } from '../search/live/live-state.js'
import { MemoryPart } from '../search/live/memory-part.js'
import type { PartView } from '../search/live/part.js'
import { openView } from '../search/view/read-view.js'
import type { OpenView } from '../search/view/open-view.js'
import { checkPath } from '../sources/check-path.js'
import { resolve } from 'node:path'
import { batchesFrom } from './jobs/batches-from.js'
import { aliveOfGraph, type AliveBatch } from './jobs/read-alive.js'

/** Vectors of one batch that lie in memory. */
const MEMORY_BATCH_ROWS = 1024

/** Gives batches, from the first row that is alive on. */
type ReadRows = () => AsyncIterable<Rows> | Iterable<Rows>
type Rows = Pick<AliveBatch, 'ids' | 'vectors' | 'fields'>

/**
 * All vectors of an index with their ids and fields, as they are now: those of the live generation, then the changes since, without
 * what was deleted or replaced. A source for `buildIndex`, whose metric, dimensions, fields and count it states; also for an
 * index that was never changed. Vectors under cosine have unit length.
 *
 * Small changes are in memory from now on, the rest is read when the source is. A writer that merges or compacts
 * meanwhile deletes files of it, which ends the read with a PathError. For another build in the same folder there is
 * `compact`, which loses no change that comes meanwhile.
 * @throws PathError when there is no index at `path`; CorruptIndexError
 */
export async function readIndex(path: string): Promise<DescribedSource> {
  checkPath(path, 'the index directory')
  const place = resolve(path)
  for (;;) {
    const text = await stateText(place)
    const view = await openView(place, {})
    try {
      // Files were replaced while it was opened: which ones it has is not known.
      if ((await stateText(place)) === text) return sourceOf(place, view, text)
    } finally {
      await view.close()
    }
  }
}

function sourceOf(path: string, { base, live, facts }: OpenView, text: string): DescribedSource {
  const { dimensions, metric } = facts
  const settings = live?.state.settings ?? { dimensions, ...(base?.schema && { fields: base.schema }) }
  const readers: ReadRows[] = []
  if (live !== undefined) readers.push(...readersOf(path, live.state))
  else if (base !== undefined) readers.push(() => aliveOfGraph(path, undefined, settings, facts.generation))
  const count = live?.state.count ?? facts.count
  async function* all(): AsyncGenerator<Rows, void, void> {
    try {
      for (const read of readers) yield* read()
    } catch (error) {
      throw await changedFailure(path, text, error)
    }
  }
  const from = (startAt: number): AsyncGenerator<GivenBatch> =>
    decoded(batchesFrom(startAt, all(), dimensions), settings)
  const fields = settings.fields && schemaOf(settings.fields)
  const fingerprint = `index ${text} ${live?.state.lastSequence ?? 0}`
  return Object.assign(from, {
    facts: () => Promise.resolve({ count, dimensions, metric, ...(fields && { fields }), fingerprint }),
  })
}

/** With columns of values, which programs can read. */
async function* decoded(
  batches: AsyncIterable<GivenBatch>,
  { fields: list }: Pick<LiveSettings, 'fields'>,
): AsyncGenerator<GivenBatch, void, void> {
  for await (const batch of batches) {
    const { fields } = batch
    yield list !== undefined && fields instanceof FieldRows ? { ...batch, fields: decodeColumns(list, fields) } : batch
  }
}

function readersOf(path: string, { base, sealed, memories, settings }: LiveState): ReadRows[] {
  const readers: ReadRows[] = []
  if (base !== undefined) {
    const { part, alive } = base
    readers.push(() => aliveOfGraph(path, alive, settings, part.name))
  }
  for (const { part, alive } of [...sealed, ...memories]) {
    if (part instanceof GraphPart) {
      const { path: folder, generation } = part.open.facts
      readers.push(() => aliveOfGraph(folder, alive, settings, generation))
    } else if (part instanceof MemoryPart) readers.push(() => memoryRowsOf(part, alive, settings))
  }
  return readers
}

function* memoryRowsOf(
  part: PartView<MemoryPart>['part'],
  alive: AliveRows,
  { dimensions, fields: list }: Pick<LiveSettings, 'dimensions' | 'fields'>,
): Generator<Rows> {
  let rows: number[] = []
  const batch = (): Rows => {
    const vectors = new Float32Array(rows.length * dimensions)
    const fields = list && new FieldRowList()
    for (const [at, row] of rows.entries()) {
      vectors.set(part.vectorOf(row), at * dimensions)
      const fieldRow = part.fieldRow(row)
      if (fieldRow !== undefined) fields?.add(fieldRow)
    }
    return { ids: rows.map((row) => part.idOf(row)), vectors, fields: fields?.copy() }
  }
  for (const row of alive.nodes()) {
    rows.push(row)
    if (rows.length < MEMORY_BATCH_ROWS) continue
    yield batch()
    rows = []
  }
  if (rows.length > 0) yield batch()
}

/** What names the files of an index: it changes when a writer or a build replaces some. */
async function stateText(path: string): Promise<string> {
  const [current, parts] = await Promise.all([readCurrent(path), readParts(path)])
  return crc32(Buffer.from(JSON.stringify([current, parts]))).toString(16)
}

/** A file that is gone because another process replaced it is no damage. */
async function changedFailure(path: string, before: string, error: unknown): Promise<unknown> {
  if (!(error instanceof CorruptIndexError || error instanceof PathError) || (await stateText(path)) === before) {
    return error
  }
  const reason = 'it was merged or built anew while it was read, and files of it are gone; read it again'
  return new PathError(path, reason, error)
}
