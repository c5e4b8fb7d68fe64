import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FieldRowList } from '../../fields/field-row-list.js'
import { readFailure } from '../../format/bytes/file-errors.js'
import { loadManifest } from '../../format/generation/read-manifest.js'
import { liveFolder, ROWS_NAME } from '../../format/live/live-paths.js'
import { sequenceOf } from '../../format/live/log-change.js'
import type { LiveSettings, PartEntry } from '../../format/live/parts-file.js'
import { readDeletes } from '../../format/live/read-deletes.js'
import type { Id } from '../../api/vectors.js'
import { AliveRows } from '../../search/live/alive-rows.js'
import { aliveOfPart, type AliveBatch } from './read-alive.js'
import { deletesInOrder, type Deletes } from './deletes.js'
import { hasGraph, writePart, type NewPart } from './write-part.js'

/** Sealed parts that become one. */
export interface MergeJob {
  readonly indexDir: string
  readonly number: number
  readonly settings: LiveSettings
  readonly parts: readonly { readonly entry: PartEntry; readonly dead: Uint32Array }[]
  readonly graphRows: number
  readonly flatBytes: number
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
  const fieldBytes = await fieldBytesOf(indexDir, part, parts)
  const isGraph = hasGraph({ ...part, count, fieldBytes })
  return writePart({ ...part, count, fieldBytes, rows: isGraph ? rows() : [await inOrder(rows(), settings)], deletes })
}

/** What the files of all rows say, dead ones too. */
async function fieldBytesOf(
  indexDir: string,
  { settings }: Pick<MergeJob, 'settings'>,
  parts: MergeJob['parts'],
): Promise<number> {
  if (settings.fields === undefined) return 0
  let sum = 0
  for (const { entry } of parts) {
    const folder = join(liveFolder(indexDir), entry.name)
    if (entry.rows === 0) continue
    if (entry.kind === 'flat') sum += await sizeOf(join(folder, ROWS_NAME))
    else
      for (const { kind, bytes } of (await loadManifest(folder)).manifest.segments) if (kind === 'fields') sum += bytes
  }
  return sum
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    throw readFailure(path, error)
  }
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
