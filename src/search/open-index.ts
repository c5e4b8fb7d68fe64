/**
 * Opens the live generation of an index directory: the manifest and the headers of its files, no more. Vectors, links and
 * ids come in when a search comes to them, or all at once beforehand (`preload`); each block of a file is held against its
 * checksum when it is first read.
 */
import { join } from 'node:path'
import { Kernel } from '../../kernel/kernel.js'
import { CorruptIndexError } from '../errors.js'
import { readCurrent } from '../format/generation/current.js'
import type { Manifest } from '../format/generation/manifest.js'
import { quantizedShape } from '../format/graph/quantized-shape.js'
import { loadManifest } from '../format/generation/read-manifest.js'
import { SegmentBlocks } from '../format/segment/segment-blocks.js'
import type { SegmentKind } from '../format/segment/segment-header.js'
import { readTunings } from '../format/generation/tuning.js'
import { parseByteSize } from '../memory/byte-size.js'
import { decideBudget, readMemoryFacts } from '../memory/detect-memory.js'
import type { OpenOptions } from '../api/search.js'
import { checkOptions } from '../options/check-options.js'
import { openOptionsSchema } from '../options/search-options.js'
import { IdLookup } from './id-lookup.js'
import type { RowsShape } from './core/core-rows.js'
import { Index, type IndexFacts, type OpenGeneration } from './vector-index.js'
import { kernelChecks } from './core/kernel-checks.js'
import { NodeIds } from './node-ids.js'
import { planMemory } from './core/plan-memory.js'
import { preloadRows } from './core/preload-rows.js'
import { SearchCore } from './core/search-core.js'
import { SearchThreads } from './search-threads.js'
import { codeRows, linkRows, vectorRows } from './core/segment-rows.js'
import { storedLevels } from './core/stored-levels.js'

/**
 * Checks whatever a search follows, besides the checksums: no file, however made, leads it out of its own memory. What is
 * damaged is found when it is first read: by a search, or here with `preload`.
 * @throws PathError when there is no index at `path`; CorruptIndexError when a byte is not what it was, or is what no
 * build writes; InsufficientMemoryError when `memory` is too little to search in, or to preload into.
 */
export async function openIndex(path: string, given: OpenOptions = {}): Promise<Index> {
  const options = checkOptions(openOptionsSchema, given)
  const openNewer = async ({ generation }: IndexFacts): Promise<OpenGeneration | undefined> => {
    const current = await readCurrent(path)
    return current?.generation === generation ? undefined : openCurrent(path, options)
  }
  return new Index(await openCurrent(path, options), openNewer)
}

async function openCurrent(path: string, options: OpenOptions): Promise<OpenGeneration> {
  for (;;) {
    const before = await readCurrent(path)
    try {
      return await openLive(path, options)
    } catch (error) {
      // A publish may have deleted the generation that was being read; then there is a newer one.
      const now = error instanceof CorruptIndexError ? await readCurrent(path) : before
      if (now?.generation === before?.generation && now?.manifestCrc32 === before?.manifestCrc32) throw error
    }
  }
}

async function openLive(path: string, options: OpenOptions): Promise<OpenGeneration> {
  // Files are held against it as they are opened.
  const { manifest, directory } = await loadManifest(path)
  const tunings = await readTunings(directory, manifest.generation)
  const files = new Segments(directory, manifest)
  try {
    const budgetBytes =
      options.memory === undefined
        ? decideBudget(undefined, readMemoryFacts()).budgetBytes
        : parseByteSize(options.memory, 'memory')
    const { threads = 1 } = options
    const preload = options.preload === true || threads > 1
    const sizes = { upperBytes: files.bytesOf('upper'), idsBytes: files.bytesOf('ids') }
    const plan = planMemory(rowsShape(manifest), sizes, { budgetBytes, preload, threads })
    const kernel = threads > 1 ? Kernel.createShared() : Kernel.create()
    kernel.reserve(plan.kernelBytes)
    const core = makeCore(manifest, files, plan.pageBytes, kernel)
    const ids = new NodeIds(files.of('ids'), plan.idsBytes)
    if (preload) {
      await preloadRows(directory, manifest, core, kernelChecks(kernel))
      core.loadUpperLevels()
      ids.preload()
    }
    const { generation, count, dimensions, metric, m, quantization, segments } = manifest
    const bytes = segments.reduce((sum, file) => sum + file.bytes, 0)
    const facts = { path, generation, count, dimensions, metric, m, quantization, bytes }
    const lookup = new IdLookup(files.of('id-table')[0], ids)
    const close = async (): Promise<void> => {
      files.close()
      await pool?.close()
    }
    const pool = threads > 1 ? new SearchThreads(core, threads) : undefined
    const vectors = vectorRows(files.of('vectors'), count, dimensions)
    return { facts, core, ids, lookup, threads: pool, vectors, directory, tunings, close }
  } catch (error) {
    files.close()
    throw error
  }
}

function rowsShape({ count, dimensions, m, quantization }: Manifest): RowsShape {
  return {
    count,
    dims: dimensions,
    m,
    codes: quantization === 'f32' ? undefined : quantizedShape(quantization, dimensions),
  }
}

function makeCore(manifest: Manifest, files: Segments, cacheBytes: number, kernel: Kernel): SearchCore {
  const { metric, entryPoint } = manifest
  const shape = rowsShape(manifest)
  const { count, dims, codes } = shape
  const checks = kernelChecks(kernel)
  return new SearchCore(kernel, {
    ...shape,
    metric,
    entryPoint,
    upperLevels: storedLevels(files.of('upper'), manifest, checks),
    paged: {
      vectors: vectorRows(files.of('vectors'), count, dims),
      links: linkRows(files.of('links'), manifest, checks),
      codes: codes && codeRows(files.of('codes'), count, codes),
      cacheBytes,
    },
    codes: codes && { shape: codes, codebook: () => readCodebook(files) },
  })
}

function readCodebook(files: Segments): Uint8Array {
  const codebook = new Uint8Array(files.bytesOf('codebook'))
  for (const file of files.of('codebook')) file.read(0, codebook)
  return codebook
}

/** The generation's files that a search reads, open: a generation that is deleted meanwhile can still be read. */
class Segments {
  readonly #open: SegmentBlocks[] = []

  constructor(directory: string, manifest: Manifest) {
    try {
      for (const file of manifest.segments) {
        this.#open.push(SegmentBlocks.open(join(directory, file.name), file, manifest))
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  of(kind: SegmentKind): SegmentBlocks[] {
    return this.#open.filter(({ header }) => header.kind === kind)
  }

  bytesOf(kind: SegmentKind): number {
    return this.of(kind).reduce((sum, { header }) => sum + header.dataBytes, 0)
  }

  close(): void {
    for (const segment of this.#open.splice(0)) segment.close()
  }
}
