import { basename, join } from 'node:path'
import { Kernel } from '../../kernel/kernel.js'
import type { Tuning } from '../api/measure.js'
import type { IndexFacts, OpenOptions } from '../api/search.js'
import type { Field } from '../fields/field.js'
import type { Manifest } from '../format/generation/manifest.js'
import { loadManifest } from '../format/generation/read-manifest.js'
import { readTunings } from '../format/generation/tuning.js'
import { SegmentBlocks } from '../format/segment/segment-blocks.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { RowSource } from '../rows/row-source.js'
import { SearchThreads } from './batch/search-threads.js'
import { kernelChecks } from './core/kernel-checks.js'
import { planMemory, type MemoryLimits } from './core/plan-memory.js'
import { preloadRows } from './core/preload-rows.js'
import { rowsShape, type RowLayout } from './core/row-layout.js'
import { SearchCore } from './core/search-core.js'
import { linkRows, segmentRows } from './core/segment-rows.js'
import { storedLevels } from './core/stored-levels.js'
import { allFieldsBytes, OpenFields } from './fields/open-fields.js'
import { IdLookup } from './ids/id-lookup.js'
import { NodeIds } from './ids/node-ids.js'
import type { SegmentKind } from '../format/segment/segment-file.js'
import { checkOpenFiles } from '../memory/open-files.js'
import { decideBudget, readMemoryFacts } from '../memory/memory-budget.js'

/** Of a thread that searches. */
const FILES_PER_THREAD = 5

/** One generation, open. The kernel memory of its core is freed with the object. */
export interface OpenGeneration {
  readonly facts: IndexFacts
  readonly core: SearchCore
  /** Room for the query of one search. */
  readonly query: Float32Array
  readonly ids: NodeIds
  /** The fields of its records; undefined when they have none. */
  readonly schema: readonly Field[] | undefined
  /** Columns, rows and words of its fields; undefined in an index without fields. */
  readonly fields: OpenFields | undefined
  /** The last change that it contains; 0 when none. */
  readonly liveSequence: number
  readonly lookup: IdLookup
  /** Different ids at most: fewer than vectors where ids may repeat. */
  readonly distinctIds: number
  readonly threads: SearchThreads | undefined
  /** All vectors, by node, from their files. */
  readonly vectors: RowSource
  /** The folder of its files. */
  readonly directory: string
  /** Choices of ef that are stored with it, by ascending k. `tune` adds to them. */
  tunings: readonly Tuning[]
  /** Closes the files and ends the threads. */
  readonly close: () => Promise<void>
}

/** Opens the generation that is live now. `limits` as in planMemory. @throws as openIndex */
export async function openGeneration(
  path: string,
  options: OpenOptions,
  limits?: MemoryLimits,
): Promise<OpenGeneration> {
  // Every file is compared with the manifest when it is opened.
  const { manifest, directory } = await loadManifest(path)
  const tunings = await readTunings(directory, manifest.generation)
  const { threads = 1 } = options
  checkOpenFiles(`the index ${path}`, manifest.segments.length + (threads > 1 ? FILES_PER_THREAD * threads : 0))
  const files = new Segments(directory, manifest)
  try {
    const { core, ids, fields } = await loadSearch(files, manifest, options, threads, limits)
    const { generation, count, dimensions, metric, m, quantization, segments } = manifest
    const repeatedIds = manifest.distinctIds !== undefined
    const bytes = segments.reduce((sum, file) => sum + file.bytes, 0)
    const pool = threads > 1 ? new SearchThreads(core, threads) : undefined
    return {
      facts: { path, generation, count, repeatedIds, dimensions, metric, m, quantization, bytes },
      core,
      query: new Float32Array(dimensions),
      ids,
      distinctIds: manifest.distinctIds ?? count,
      schema: manifest.fields,
      fields,
      liveSequence: manifest.liveSequence ?? 0,
      lookup: new IdLookup(files.of('id-table')[0], ids),
      threads: pool,
      vectors: segmentRows(files.of('vectors'), count, 4 * dimensions),
      directory,
      tunings,
      close: async () => {
        files.close()
        await pool?.close()
      },
    }
  } catch (error) {
    files.close()
    throw error
  }
}

/** The core and the ids in the memory that the options allow; read ahead where they ask for it. */
async function loadSearch(
  files: Segments,
  manifest: Manifest,
  options: OpenOptions,
  threads: number,
  limits: MemoryLimits | undefined,
): Promise<Pick<OpenGeneration, 'core' | 'ids' | 'fields'>> {
  const budgetBytes =
    options.memory === undefined
      ? decideBudget(undefined, readMemoryFacts()).budgetBytes
      : parseByteSize(options.memory, 'memory')
  const preload = options.preload === true || threads > 1
  const sizes = {
    upperBytes: files.bytesOf('upper'),
    idsBytes: files.bytesOf('ids'),
    fieldsBytes: manifest.fields === undefined ? 0 : allFieldsBytes(manifest.count, files),
  }
  const plan = planMemory(rowsShape(manifest), sizes, { budgetBytes, preload, threads }, limits)
  const kernel = threads > 1 ? Kernel.createShared() : Kernel.create()
  kernel.reserve(plan.kernelBytes)
  const core = makeCore(manifest, files, plan.layout, kernel)
  const ids = new NodeIds(files.of('ids'), plan.idsBytes, options.integerIds)
  const fields = manifest.fields && new OpenFields(manifest.fields, manifest.count, files, plan.fieldsBytes)
  if (preload) {
    await preloadRows(files.directory, manifest, core.memory.rows, kernelChecks(kernel))
    core.memory.loadUpperLevels()
    ids.preload()
    fields?.preload()
  }
  return { core, ids, fields }
}

function makeCore(manifest: Manifest, files: Segments, layout: RowLayout, kernel: Kernel): SearchCore {
  const { metric, entryPoint } = manifest
  const shape = rowsShape(manifest)
  const { count, dimensions, codes } = shape
  const checks = kernelChecks(kernel)
  return new SearchCore(kernel, {
    ...shape,
    metric,
    entryPoint,
    upperLevels: storedLevels(files.of('upper'), manifest, checks),
    paged: {
      vectors: segmentRows(files.of('vectors'), count, 4 * dimensions),
      links: linkRows(files.of('links'), manifest, checks),
      codes: codes && segmentRows(files.of('codes'), count, codes.strideBytes),
      layout,
    },
    codes: codes && { shape: codes, codebook: () => readCodebook(files) },
  })
}

function readCodebook(files: Segments): Uint8Array {
  const codebook = new Uint8Array(files.bytesOf('codebook'))
  for (const file of files.of('codebook')) file.read(0, codebook)
  return codebook
}

/** The files of a generation that a search reads, open: they stay readable when the generation is deleted. */
class Segments {
  readonly directory: string
  readonly #open: SegmentBlocks[] = []

  constructor(directory: string, manifest: Manifest) {
    this.directory = directory
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

  /** The manifest lists it: that is checked when it is read. */
  named(name: string): SegmentBlocks {
    const file = this.#open.find(({ path }) => basename(path) === name)
    if (file === undefined) throw new RangeError(`${this.directory} has no ${name}`)
    return file
  }

  bytesOf(kind: SegmentKind): number {
    return this.of(kind).reduce((sum, { header }) => sum + header.dataBytes, 0)
  }

  close(): void {
    for (const segment of this.#open.splice(0)) segment.close()
  }
}
