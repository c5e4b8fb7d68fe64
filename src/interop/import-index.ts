import { layOutSegments, type SegmentLayout } from '../pipeline/layer/segment-layout.js'
import { writeIds } from '../pipeline/segments/write-ids.js'
import { DuplicateIdError, InvalidOptionError } from '../errors.js'
import type { BuildOptions, Logger, ProgressEvent } from '../api/build.js'
import type { BuildReport, Quantization } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { checkPath } from '../sources/check-path.js'
import { assertOptions, checkOptions } from '../options/check-options.js'
import { importOptionsSchema } from '../options/import-options.js'
import { HnswlibFile } from './hnswlib/hnswlib-file.js'
import { surveyFile, type Survey } from './hnswlib/survey.js'
import { readUpperLevels } from './hnswlib/read-upper-levels.js'
import { writeLevel0 } from './hnswlib/write-level0.js'
import { assertFitsChanges } from '../pipeline/run/fits-changes.js'
import { withRun, type OpenRun } from '../pipeline/run/with-run.js'
import { finish } from '../pipeline/finish.js'
import type { PlannedRun } from '../pipeline/run/run.js'
import type { LinkedIndex } from '../pipeline/linked-index.js'
import { createSegments } from '../pipeline/segments/create-segments.js'

export interface ImportOptions {
  // <generated options-import>
  /** The index directory; created when missing. */
  readonly path: string
  /** Length of the vectors. The file does not state its type of numbers: this is checked against the bytes of one. */
  readonly dimensions: number
  /** What the file was built with, which it does not state. Under 'cosine' every vector must have unit length. */
  readonly metric: Metric
  /**
   * File with the id of label n in line n, from 0, for a file whose labels are 0, 1, 2, …: text, or JSON in a `.jsonl`.
   * Default: the labels.
   */
  readonly ids?: string
  /**
   * What to do with a label or an id that is given twice: 'error', or 'keep' all its vectors, which a search then finds
   * as one. The file does not say which one is newer. Default 'error'.
   */
  readonly duplicates?: 'error' | 'keep'
  /**
   * What searches compare: the vectors ('f32'), or quantized vectors beside them: 'f16', 'sq8', 'pq', or 'binary', one
   * bit of each component, which needs metric 'cosine' and suits embeddings of 256 dimensions and more. Default 'f32'.
   */
  readonly quantization?: Quantization
  /**
   * Memory budget in bytes, or as text: '512MB' is 512 x 10^6, '2GiB' and '2G' are 2 x 2^30. Free memory is what the
   * machine or its cgroup has left. Default: the free memory.
   */
  readonly memory?: number | string
  /** Worker threads at most. Default: the cores. */
  readonly threads?: number
  /** Folder of temporary files. Default: build/ in the index. */
  readonly tempDir?: string
  /** Do not publish an index whose measured recall@10 (at ef 64) is below this, 0 to 1. */
  readonly minRecall?: number
  /** Old generations kept beside the live one. Default 1. */
  readonly keepGenerations?: number
  /**
   * Build into a folder that is no index and holds other files; otherwise it is refused. No file that is not of a build
   * is deleted or replaced in either case. Default false.
   */
  readonly force?: boolean
  /** An `AbortSignal`; once it fires the call rejects with `SHARDLOOM_ABORTED`. */
  readonly signal?: AbortSignal
  /** Called about ten times a second at most, with the stage, what is done and the memory in use. */
  readonly onProgress?: (event: ProgressEvent) => void
  /** An object with the methods `info(message)` and `warn(message)`: `console` or pino. Default: silent. */
  readonly logger?: Logger
  // </generated>
}

/** An import cannot choose between two vectors of one id: the file does not say which is newer. */
const UNIQUE_LABELS =
  'the labels of the file must be unique; export it again, build from the vectors, or pass duplicates: ' +
  "'keep' (--duplicates keep)"

/** All segments but the last hold a multiple of this many nodes. */
const LAYOUT_NODES = 4096

/**
 * Turns an hnswlib file (`saveIndex`, 64-bit) into an index and publishes it as the live generation of `options.path`.
 * The graph is not changed: an element's place is its node, its label the id. Elements marked as deleted are left out,
 * with the links to them, and counted in `skippedInvalid`. Then follows the proof of every build: nodes out of reach
 * are linked, and recall@10 is measured.
 *
 * The file is read twice, front to back. Memory: 4 bytes an element, the upper levels, and what the proof takes.
 * @throws InvalidFileError for a file of another format, damaged or out of bounds; DimensionMismatchError,
 * InvalidVectorError, DuplicateIdError, EmptySourceError, and what buildIndex throws. The generation that was live
 * before stays live.
 */
export async function importIndex(path: string, options: ImportOptions): Promise<BuildReport> {
  checkPath(path, 'the hnswlib file')
  assertOptions(options)
  // No default could be right for either.
  if (options.dimensions === undefined || options.metric === undefined) {
    throw new InvalidOptionError(
      'an import needs dimensions (--dimensions) and metric (--metric), because an hnswlib file has neither',
    )
  }
  const { ids, ...given } = checkOptions(importOptionsSchema, options)
  const file = await HnswlibFile.open(path, given.dimensions)
  try {
    return await importFile(file, given, ids)
  } finally {
    await file.close()
  }
}

async function importFile(file: HnswlibFile, given: BuildOptions, idsPath: string | undefined): Promise<BuildReport> {
  const { m, count } = file.header
  return withRun({ ...given, m, count, quality: 'balanced' }, { isResumable: false }, async (open) => {
    const survey = await open.stage('ingest', () => surveyOnce(open, file, idsPath))
    const { ingested } = survey
    await assertFitsChanges(open.options.path, { dimensions: ingested.dimensions, metric: open.options.metric })
    const run = open.plan(ingested)
    const layout = layOutSegments(evenCounts(ingested.count), ingested.dimensions)
    const idFiles = await run.stage('assign nodes', () =>
      writeIds(run, ingested, { layout, nodeOfOrdinal: survey.nodeOfElement }),
    )
    const graph = await run.stage('import', () => writeGraph(run, file, survey, layout))
    return finish(run, {
      ingested,
      nodes: { layout, idFiles },
      fieldFiles: [],
      ...graph,
      origin: {
        chosen: { quality: 'imported', trialRecall: undefined },
        shardCount: 0,
        splitShards: 0,
        linkedBy: 'hnswlib-import',
      },
    })
  })
}

async function surveyOnce(run: OpenRun, file: HnswlibFile, idsPath: string | undefined): Promise<Survey> {
  try {
    return await surveyFile(run, file, idsPath)
  } catch (error) {
    if (error instanceof DuplicateIdError) throw new DuplicateIdError({ ...error.details, help: UNIQUE_LABELS })
    throw error
  }
}

/** Writes the vectors, links and upper levels of the file. */
async function writeGraph(
  run: PlannedRun,
  file: HnswlibFile,
  survey: Survey,
  layout: SegmentLayout,
): Promise<Pick<LinkedIndex, 'vectors' | 'links' | 'degreeSum' | 'upper'>> {
  const { dimensions } = survey.ingested
  const vectors = await createSegments(run, 'vectors', layout, { dimensions })
  const links = await createSegments(run, 'links', layout, { dimensions })
  const { degreeSum, uselessLinks } = await writeLevel0(run, file, survey, { vectors, links })
  if (uselessLinks > 0) {
    run.log.event('useless-links', `${uselessLinks} links were left out: they lead to their own node, or are repeated`)
  }
  return { vectors, links, degreeSum, upper: await readUpperLevels(run, file, survey) }
}

/** The layout groups whole shards; an import has no shards, so these groups take their place. */
function evenCounts(count: number): number[] {
  return Array.from({ length: Math.ceil(count / LAYOUT_NODES) }, (_, i) =>
    Math.min(LAYOUT_NODES, count - i * LAYOUT_NODES),
  )
}
