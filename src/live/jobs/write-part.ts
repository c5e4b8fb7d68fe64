/** Writes the folder of a sealed part. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../spill/files/make-folder.js'
import type { GivenBatch, Id } from '../../api/vectors.js'
import { schemaOf } from '../../fields/schema.js'
import { syncDirectory } from '../../format/bytes/write-durably.js'
import { DELETES_NAME, liveFolder, partName, ROWS_NAME } from '../../format/live/live-paths.js'
import { encodeFrame } from '../../format/live/log-frame.js'
import type { Change } from '../../format/live/log-change.js'
import { frameRanges } from '../../format/live/frame-ranges.js'
import { LogWriter } from '../../format/live/log-writer.js'
import type { LiveSettings, PartEntry } from '../../format/live/parts-file.js'
import { SequenceRange } from '../../format/live/sequence-range.js'
import { writeSequences } from '../../format/live/sequences-file.js'
import { buildGeneration } from '../../pipeline/build-index.js'
import { openStoredGraph, storedIds } from '../../rows/stored-graph.js'
import { encodedBatch } from './batches-from.js'
import type { Deletes } from './deletes.js'
import type { AliveBatch } from './read-alive.js'

export interface NewPart {
  readonly indexDir: string
  readonly number: number
  readonly settings: LiveSettings
  /** How many rows there are. */
  readonly count: number
  /** Every id once, unless ids may repeat; without a graph in the order of their sequences. */
  readonly rows: Iterable<AliveBatch> | AsyncIterable<AliveBatch>
  readonly deletes: Deletes
  /** Of the fields of all rows, about. */
  readonly fieldBytes: number
  /** A part of fewer rows has no graph, unless its fields have more bytes than a reader holds in memory. */
  readonly graphRows: number
  readonly flatBytes: number
  /** Of the build of its graph. */
  readonly build: { readonly threads: number; readonly memory: number }
}

/** Rows of one frame, at most, and what each has besides its vector and its id. */
const FRAME_ROWS = 4096
const SEQUENCE_BYTES = 8

/** Everything is on the device when it resolves, but for the name of the folder in `live/`. */
export async function writePart(part: NewPart): Promise<PartEntry> {
  const { indexDir, number, count, deletes } = part
  const name = partName(number)
  const folder = join(liveFolder(indexDir), name)
  // An interrupted attempt.
  await rm(folder, { recursive: true, force: true })
  await makeFolder(folder)
  const kind = hasGraph(part) ? 'graph' : 'flat'
  const range = new SequenceRange()
  for (const sequence of deletes.sequences) range.add(sequence)
  if (kind === 'graph') await writeGraph(part, folder, range)
  else if (count > 0) await writeRows(part, folder, range)
  if (deletes.ids.length > 0) {
    await writeLog(join(folder, DELETES_NAME), part, 'delete', [{ ...deletes, vectors: new Float32Array(0) }])
  }
  await syncDirectory(folder)
  return { name, kind, rows: count, deletes: deletes.ids.length, firstSequence: range.first, lastSequence: range.last }
}

export function hasGraph({
  count,
  graphRows,
  fieldBytes,
  flatBytes,
}: Pick<NewPart, 'count' | 'graphRows' | 'fieldBytes' | 'flatBytes'>): boolean {
  return count >= graphRows || (count > 0 && fieldBytes > flatBytes)
}

async function writeRows(part: NewPart, folder: string, range: SequenceRange): Promise<void> {
  async function* noted(): AsyncGenerator<AliveBatch> {
    for await (const batch of part.rows) {
      for (const sequence of batch.sequences) range.add(sequence)
      yield batch
    }
  }
  await writeLog(join(folder, ROWS_NAME), part, 'upsert', noted())
}

async function writeLog(
  path: string,
  { number, settings }: NewPart,
  kind: Change['kind'],
  batches: Iterable<AliveBatch> | AsyncIterable<AliveBatch>,
): Promise<void> {
  const { dimensions, metric } = settings
  const writer = await LogWriter.create(path, { dimensions, metric, number, firstSequence: 1, chain: 0 })
  const width = kind === 'upsert' ? dimensions : 0
  try {
    for await (const { ids, vectors, sequences, fields } of batches) {
      const rowBytes = (at: number): number => 4 * width + SEQUENCE_BYTES + (fields?.bytesOf(at) ?? 0)
      for (const [from, to] of frameRanges(ids, rowBytes, FRAME_ROWS)) {
        const change = {
          kind,
          ids: ids.slice(from, to),
          vectors: vectors.subarray(from * width, to * width),
          ...(fields !== undefined && { fields: fields.slice(from, to) }),
          firstSequence: sequences[from],
          sequences: sequences.slice(from, to),
        }
        const place = { dimensions, fileCrc: writer.fileCrc, chain: writer.chain, synced: 0 }
        const { bytes, chain } = encodeFrame(change, place)
        await writer.append([bytes], sequences[to - 1], chain, false)
      }
    }
    await writer.sync()
  } finally {
    await writer.close()
  }
}

async function writeGraph(part: NewPart, folder: string, range: SequenceRange): Promise<void> {
  const { settings, count, build } = part
  const { dimensions, metric, m, seed, quality, repeatedIds, fields: list } = settings
  // Rows of one id came with one change, which counts whole: they take the sequence of its last row.
  const sequenceOf = new Map<Id, number>()
  async function* source(): AsyncGenerator<GivenBatch> {
    for await (const { ids, vectors, sequences, fields } of part.rows) {
      for (const [at, id] of ids.entries()) {
        sequenceOf.set(id, Math.max(sequences[at], sequenceOf.get(id) ?? 0))
        range.add(sequences[at])
      }
      yield encodedBatch({ ids, vectors, dimensions }, fields)
    }
  }
  // Rows of one part are too few for a trial to tell, or for a codebook.
  await buildGeneration(source(), {
    path: folder,
    dimensions,
    metric,
    m,
    seed,
    count,
    quality: quality === 'auto' ? 'balanced' : quality,
    duplicates: repeatedIds === true ? 'keep' : 'error',
    ...(list !== undefined && { fields: schemaOf(list) }),
    resume: false,
    ...build,
  })
  const sequences = new Float64Array(count)
  let node = 0
  for await (const ids of storedIds(await openStoredGraph(folder))) {
    for (const id of ids) sequences[node++] = sequenceOf.get(id) ?? 0
  }
  await writeSequences(folder, sequences)
}
