/** The rows of an index that are alive, as sealed: of its generation, then of its parts. */
import { join } from 'node:path'
import type { Id } from '../../api/vectors.js'
import { CorruptIndexError } from '../../errors.js'
import type { FieldRows } from '../../fields/field-rows.js'
import { areSameFields, fieldsText } from '../../fields/same-fields.js'
import { checkChangeFields } from '../../format/live/check-change-fields.js'
import { readDeadRows } from '../../format/live/dead-rows-file.js'
import { ROWS_NAME, liveFolder } from '../../format/live/live-paths.js'
import { sequenceOf } from '../../format/live/log-change.js'
import type { LiveSettings, PartEntry, Parts } from '../../format/live/parts-file.js'
import { logChanges } from '../../format/live/read-log.js'
import { readSequences } from '../../format/live/sequences-file.js'
import { readGeneration } from '../../format/generation/read-manifest.js'
import { openStoredGraph } from '../../rows/stored-graph.js'
import { storedRows } from '../../rows/stored-rows.js'
import { AliveRows } from '../../search/live/alive-rows.js'

/** Rows with their ids, and the change that each came with; `sequences` is empty for the rows of a generation. */
export interface AliveBatch {
  readonly ids: readonly Id[]
  /** ids.length x dimensions. */
  readonly vectors: Float32Array
  /** One for each row, where the index has fields. */
  readonly fields?: FieldRows | undefined
  readonly sequences: Float64Array
}

/** What is alive of a generation and of its parts, by their order in PARTS. */
export interface SealedRows {
  readonly indexDir: string
  readonly parts: Parts
  readonly base: AliveRows | undefined
  readonly sealed: readonly AliveRows[]
}

/** Reads which rows are dead. @throws CorruptIndexError, PathError */
export async function sealedRowsOf(indexDir: string, parts: Parts): Promise<SealedRows> {
  const { base, dead } = parts
  const count = base === '' ? 0 : (await readGeneration(indexDir, base)).manifest.count
  const rows = parts.parts.map((entry) => entry.rows)
  const [ofBase, ...ofParts] = await readDeadRows(indexDir, dead, [count, ...rows])
  return {
    indexDir,
    parts,
    base: base === '' ? undefined : new AliveRows(count, ofBase),
    sealed: rows.map((number, at) => new AliveRows(number, ofParts[at])),
  }
}

export async function* aliveRows({ indexDir, parts, base, sealed }: SealedRows): AsyncGenerator<AliveBatch> {
  if (base !== undefined) yield* aliveOfGraph(indexDir, base, parts.settings, parts.base)
  for (const [at, entry] of parts.parts.entries()) yield* aliveOfPart(indexDir, entry, parts, sealed[at])
}

export async function* aliveOfPart(
  indexDir: string,
  { name, kind, rows }: PartEntry,
  { settings }: Pick<Parts, 'settings'>,
  alive: AliveRows,
): AsyncGenerator<AliveBatch> {
  if (rows === 0) return
  const folder = join(liveFolder(indexDir), name)
  const { dimensions, metric } = settings
  if (kind === 'graph') {
    const sequences = await readSequences(folder, rows)
    for await (const batch of aliveOfGraph(folder, alive, settings)) {
      yield { ...batch, sequences: Float64Array.from(batch.nodes, (node) => sequences[node]) }
    }
    return
  }
  let first = 0
  const path = join(folder, ROWS_NAME)
  for await (const change of logChanges(path, { dimensions, metric, sealed: true })) {
    checkChangeFields(change, settings.fields, path)
    const { ids } = change
    const kept = keptOf(alive, first, ids.length)
    first += ids.length
    yield {
      ...gathered(change, dimensions, kept),
      sequences: Float64Array.from(kept, (i) => sequenceOf(change, i)),
    }
  }
}

/** Rows of a generation that are alive; all, without `alive`. */
export async function* aliveOfGraph(
  directory: string,
  alive: AliveRows | undefined,
  { dimensions, fields }: Pick<LiveSettings, 'dimensions' | 'fields'>,
  generation?: string,
): AsyncGenerator<AliveBatch & { readonly nodes: Uint32Array }> {
  const graph = await openStoredGraph(directory, generation)
  if (!areSameFields(graph.manifest.fields, fields)) {
    const has = `it has ${fieldsText(graph.manifest.fields)}`
    throw new CorruptIndexError(graph.directory, `${has}, the index ${fieldsText(fields)}`)
  }
  for await (const { firstNode, ...rows } of storedRows(graph)) {
    const { length } = rows.ids
    const kept = alive === undefined ? allOf(length) : keptOf(alive, firstNode, length)
    const nodes = kept.map((at) => firstNode + at)
    yield { ...(kept.length === length ? rows : gathered(rows, dimensions, kept)), nodes, sequences: NOTHING }
  }
}

/** Positions, from `first` on, of rows that are alive. */
function keptOf(alive: AliveRows, first: number, count: number): Uint32Array {
  const kept = new Uint32Array(count)
  let length = 0
  for (let at = 0; at < count; at++) if (alive.has(first + at)) kept[length++] = at
  return kept.subarray(0, length)
}

function allOf(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, at) => at)
}

const NOTHING = new Float64Array(0)

function gathered(
  { ids, vectors, fields }: Omit<AliveBatch, 'sequences'>,
  dimensions: number,
  kept: Uint32Array,
): Omit<AliveBatch, 'sequences'> {
  const rows = new Float32Array(kept.length * dimensions)
  kept.forEach((at, to) => rows.set(vectors.subarray(at * dimensions, (at + 1) * dimensions), to * dimensions))
  return { ids: Array.from(kept, (at) => ids[at]), vectors: rows, fields: fields?.pick(kept) }
}
