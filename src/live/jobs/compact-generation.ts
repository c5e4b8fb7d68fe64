/** Builds the next generation from the index itself: the rows that are alive in the generation and in its sealed parts. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildOptions } from '../../api/build.js'
import type { BuildReport } from '../../api/report.js'
import type { DescribedSource, GivenBatch } from '../../api/vectors.js'
import { crc32 } from '../../../spill/files/crc32.js'
import { PathError } from '../../errors.js'
import { schemaOf } from '../../fields/schema.js'
import { writeFailure } from '../../format/bytes/file-errors.js'
import { readCurrent } from '../../format/generation/current.js'
import { COMPACTING_NAME, liveFolder } from '../../format/live/live-paths.js'
import { encodeParts, readParts, writeParts, type Parts } from '../../format/live/parts-file.js'
import { buildGeneration } from '../../pipeline/build-index.js'
import { isResumable } from '../../pipeline/run/workspace.js'
import { batchesFrom } from './batches-from.js'
import { aliveRows, sealedRowsOf, type SealedRows } from './read-alive.js'

/** Options of the build that a compaction is. What is not given is as the index was made. */
export interface CompactJob {
  readonly indexDir: string
  readonly options: Pick<
    BuildOptions,
    'memory' | 'threads' | 'tempDir' | 'keepGenerations' | 'minRecall' | 'quality' | 'quantization'
  >
}

/** Options that stay with the thread that asked for the compaction. */
export type CompactHooks = Pick<BuildOptions, 'signal' | 'onProgress' | 'logger'>

/** 'empty': nothing is alive, of which no generation can be made. 'other-base': another build was published. */
export type Compacted =
  | { readonly kind: 'built'; readonly report: BuildReport }
  | { readonly kind: 'empty' }
  | { readonly kind: 'other-base' }

/**
 * Publishes a generation of all that is sealed. Changes that are not, and those that come meanwhile, stay on top.
 * An interrupted compaction goes on, from what it read then. When the changes lie on another generation than the live
 * one, the writer has to take that over first.
 * @throws PathError when the index has no changes at all; what a build throws
 */
export async function compactGeneration(
  { indexDir, options }: CompactJob,
  hooks: CompactHooks = {},
): Promise<Compacted> {
  const parts = await pinnedParts(indexDir)
  if (parts.base !== (await liveGeneration(indexDir))) return otherBase(indexDir)
  const { settings, coveredSequence } = parts
  const { dimensions, metric, m, quality, quantization, seed, repeatedIds, fields: list } = settings
  const duplicates = repeatedIds === true ? 'keep' : 'error'
  const fields = list && schemaOf(list)
  try {
    const rows = await sealedRowsOf(indexDir, parts)
    if (countOf(rows) === 0) {
      await unpin(indexDir)
      return { kind: 'empty' }
    }
    // COMPACTING is void from then on: it is of another base.
    const report = await buildGeneration(
      sourceOf(rows),
      {
        ...{ path: indexDir, dimensions, metric, m, quality, quantization, seed, duplicates },
        ...(fields !== undefined && { fields }),
        ...given(options),
        ...hooks,
      },
      { liveSequence: coveredSequence, base: parts.base },
    )
    return { kind: 'built', report }
  } catch (error) {
    if (parts.base !== (await liveGeneration(indexDir))) return otherBase(indexDir)
    if (!(await isResumable(indexDir))) await unpin(indexDir)
    throw error
  }
}

/** Without what is undefined, which is not given. */
function given<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Options>
}

/** What an interrupted compaction reads, else what is sealed now: these files stay until the compaction ends. */
async function pinnedParts(indexDir: string): Promise<Parts> {
  const pinned = await readParts(indexDir, COMPACTING_NAME)
  if (pinned?.base === (await liveGeneration(indexDir)) && (await isResumable(indexDir))) return pinned
  for (;;) {
    const parts = await readParts(indexDir)
    if (parts === undefined) {
      throw new PathError(indexDir, 'nothing was changed since it was built: there is nothing to compact')
    }
    await writeParts(indexDir, parts, COMPACTING_NAME)
    // Until COMPACTING was there, a merge may have deleted what these parts name.
    if (JSON.stringify(await readParts(indexDir)) === JSON.stringify(parts)) return parts
  }
}

async function liveGeneration(indexDir: string): Promise<string> {
  return (await readCurrent(indexDir))?.generation ?? ''
}

async function otherBase(indexDir: string): Promise<Compacted> {
  await unpin(indexDir)
  return { kind: 'other-base' }
}

async function unpin(indexDir: string): Promise<void> {
  const path = join(liveFolder(indexDir), COMPACTING_NAME)
  try {
    await rm(path, { force: true })
  } catch (error) {
    throw writeFailure(path, 0, error)
  }
}

function countOf({ base, sealed }: SealedRows): number {
  return sealed.reduce((sum, { alive }) => sum + alive, base?.alive ?? 0)
}

function sourceOf(rows: SealedRows): DescribedSource {
  const { dimensions } = rows.parts.settings
  const from = (startAt: number): AsyncGenerator<GivenBatch> => batchesFrom(startAt, aliveRows(rows), dimensions)
  const fingerprint = `parts ${crc32(encodeParts(rows.parts)).toString(16)} ${rows.parts.coveredSequence}`
  return Object.assign(from, { facts: () => Promise.resolve({ count: countOf(rows), dimensions, fingerprint }) })
}
