import { FieldRowList } from '../fields/field-row-list.js'
import { sequenceOf } from '../format/live/log-change.js'
import type { LiveSettings, PartEntry } from '../format/live/parts-file.js'
import { readDeletes } from '../format/live/read-deletes.js'
import type { Id } from '../api/vectors.js'
import { AliveRows } from '../search/live/alive-rows.js'
import { aliveOfPart, type AliveBatch } from './read-alive.js'
import { deletesInOrder, type Deletes } from './deletes.js'
import { writePart, type NewPart } from './write-part.js'

/** Sealed parts that become one. */
export interface MergeJob {
  readonly indexDir: string
  readonly number: number
  readonly settings: LiveSettings
  readonly parts: readonly { readonly entry: PartEntry; readonly dead: Uint32Array }[]
  readonly graphRows: number
  readonly build: NewPart['build']
}

export async function mergeParts({ parts, ...part }: MergeJob): Promise<PartEntry> {
  const { indexDir, settings } = part
  const views = parts.map(({ entry, dead }) => ({ entry, alive: new AliveRows(entry.rows, dead) }))
  async function* rows(): AsyncGenerator<AliveBatch> {
    for (const { entry, alive } of views) yield* aliveOfPart(indexDir, entry, part, alive)
  }
  const count = views.reduce((sum, { alive }) => sum + alive.alive, 0)
  const deletes = await deletesOf(indexDir, settings, parts)
  return writePart({
    ...part,
    count,
    rows: count < part.graphRows ? [await inOrder(rows(), settings)] : rows(),
    deletes,
  })
}

/** Few rows, by their sequences: a log holds them in order. */
async function inOrder(batches: AsyncIterable<AliveBatch>, settings: LiveSettings): Promise<AliveBatch> {
  const { dimensions } = settings
  const rows: { id: Id; vector: Float32Array; sequence: number; fields: Uint8Array | undefined }[] = []
  for await (const { ids, vectors, sequences, fields } of batches) {
    for (const [at, id] of ids.entries()) {
      const vector = vectors.slice(at * dimensions, (at + 1) * dimensions)
      rows.push({ id, vector, sequence: sequences[at], fields: fields?.row(at) })
    }
  }
  rows.sort((a, b) => a.sequence - b.sequence)
  const vectors = new Float32Array(rows.length * dimensions)
  for (const [at, { vector }] of rows.entries()) vectors.set(vector, at * dimensions)
  const list = settings.fields && new FieldRowList()
  for (const { fields } of rows) if (fields !== undefined) list?.add(fields)
  return {
    ids: rows.map(({ id }) => id),
    vectors,
    fields: list?.copy(),
    sequences: Float64Array.from(rows, ({ sequence }) => sequence),
  }
}

async function deletesOf(indexDir: string, settings: LiveSettings, parts: MergeJob['parts']): Promise<Deletes> {
  const last = new Map<Id, number>()
  for (const { entry } of parts) {
    for await (const change of readDeletes(indexDir, entry, settings)) {
      for (const [at, id] of change.ids.entries()) last.set(id, Math.max(last.get(id) ?? 0, sequenceOf(change, at)))
    }
  }
  return deletesInOrder(last)
}
