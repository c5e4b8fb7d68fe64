import { quantize, proofCodes } from '../pipeline/quantize.js'
import { createSegments } from '../pipeline/layer/create-segments.js'
import { openBuild } from '../pipeline/run/open-build.js'
import { prove } from '../pipeline/prove.js'
import { publish } from '../pipeline/publish.js'
import { layOutSegments } from '../pipeline/layer/segment-layout.js'
import { writeIds } from '../pipeline/layer/write-ids.js'
import { DuplicateIdError, InvalidOptionError } from '../errors.js'
import type { BuildOptions } from '../api/build.js'
import type { BuildReport } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { HnswlibFile } from './hnswlib/hnswlib-file.js'
import { surveyFile } from './hnswlib/survey.js'
import { readUpperLevels } from './hnswlib/read-upper-levels.js'
import { writeLevel0 } from './hnswlib/write-level0.js'

export interface ImportOptions extends Pick<
  BuildOptions,
  | 'path'
  | 'quantization'
  | 'memory'
  | 'threads'
  | 'tempDir'
  | 'minRecall'
  | 'keepGenerations'
  | 'signal'
  | 'onProgress'
  | 'logger'
> {
  /** Length of the vectors. The file only has the bytes of a vector, which this is compared with. */
  readonly dimensions: number
  /**
   * The metric that the file was built with, which it does not record. Under 'cosine' every vector must have unit
   * length.
   */
  readonly metric: Metric
  /** A file of ids, for labels 0, 1, 2, …: line n, from 0, has the id of label n, as text, or as JSON in a .jsonl. */
  readonly ids?: string
}

/** An import cannot choose between two vectors of one id: the file does not say which is newer. */
const UNIQUE_LABELS = 'the labels of the file must be unique; export it again, or build from the vectors'

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
  const { ids, ...given } = options
  // No default could be right for either.
  if (given.dimensions === undefined || given.metric === undefined) {
    throw new InvalidOptionError(
      'an import needs dimensions (--dimensions) and metric (--metric), because an hnswlib file has neither',
    )
  }
  const file = await HnswlibFile.open(path, given.dimensions)
  try {
    return await importFile(file, given, ids)
  } finally {
    await file.close()
  }
}

async function importFile(file: HnswlibFile, given: BuildOptions, idsPath: string | undefined): Promise<BuildReport> {
  const { m, count } = file.header
  const build = await openBuild({ ...given, m, count, quality: 'balanced' }, false)
  const { log } = build
  let failure: unknown
  try {
    const survey = await log.stage('ingest', () => surveyFile(build.context, file, idsPath))
    const { ingested, nodeOfElement } = survey
    const context = await build.plan(ingested)
    const { generationDir } = context.paths
    const shape = { count: ingested.count, dimensions: ingested.dimensions, m }
    const layout = layOutSegments(evenCounts(ingested.count), ingested.dimensions)
    const idFiles = await log.stage('assign nodes', () =>
      writeIds(context, ingested.ids, { layout, nodeOfOrdinal: nodeOfElement }, shape),
    )
    const vectors = await createSegments(generationDir, 'vectors', layout, shape)
    const links = await createSegments(generationDir, 'links', layout, shape)
    const { degreeSum, upper } = await log.stage('import', async () => {
      const level0 = await writeLevel0(context, file, survey, { vectors, links })
      if (level0.uselessLinks > 0) {
        log.event(
          'useless-links',
          `${level0.uselessLinks} links were left out: they lead to their own node, or are repeated`,
        )
      }
      return { ...level0, upper: await readUpperLevels(context, file, survey) }
    })
    const codes = await quantize(context, layout, vectors.files, shape)
    const graph = {
      ...shape,
      metric: context.options.metric,
      vectors: vectors.files,
      links: links.files,
      codes: proofCodes(codes, shape.dimensions),
      entryPoint: upper.entryPoint,
      upperLevels: upper.levels,
    }
    const proof = await log.stage('prove', () => prove(context, graph, links.checksums, ingested.maxSquaredNorm))
    return await publish(build, context, {
      ingested,
      shardCount: 0,
      chosen: { quality: 'imported', trialRecall: undefined },
      engine: 'hnswlib-import',
      splitShards: 0,
      averageDegree: degreeSum / ingested.count,
      proof,
      upper,
      segments: { vectors, links, codes, ids: idFiles },
    })
  } catch (error) {
    failure =
      error instanceof DuplicateIdError ? new DuplicateIdError({ ...error.details, help: UNIQUE_LABELS }) : error
    throw failure
  } finally {
    await build.close(failure)
  }
}

/** The layout groups whole shards; an import has no shards, so these groups take their place. */
function evenCounts(count: number): number[] {
  return Array.from({ length: Math.ceil(count / LAYOUT_NODES) }, (_, i) =>
    Math.min(LAYOUT_NODES, count - i * LAYOUT_NODES),
  )
}
