import { layOutSegments, type SegmentLayout } from '../pipeline/layer/segment-layout.js'
import { writeIds } from '../pipeline/segments/write-ids.js'
import { DuplicateIdError, InvalidOptionError } from '../errors.js'
import type { BuildOptions } from '../api/build.js'
import type { BuildReport } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { HnswlibFile } from './hnswlib/hnswlib-file.js'
import { surveyFile, type Survey } from './hnswlib/survey.js'
import { readUpperLevels } from './hnswlib/read-upper-levels.js'
import { writeLevel0 } from './hnswlib/write-level0.js'
import { withRun, type OpenRun } from '../pipeline/run/with-run.js'
import { finish } from '../pipeline/finish.js'
import type { PlannedRun } from '../pipeline/run/run.js'
import type { LinkedIndex } from '../pipeline/linked-index.js'
import { createSegments } from '../pipeline/segments/create-segments.js'

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
  return withRun({ ...given, m, count, quality: 'balanced' }, false, async (open) => {
    const survey = await open.stage('ingest', () => surveyOnce(open, file, idsPath))
    const { ingested } = survey
    const run = open.plan(ingested)
    const layout = layOutSegments(evenCounts(ingested.count), ingested.dimensions)
    const idFiles = await run.stage('assign nodes', () =>
      writeIds(run, ingested, { layout, nodeOfOrdinal: survey.nodeOfElement }),
    )
    const graph = await run.stage('import', () => writeGraph(run, file, survey, layout))
    return finish(run, {
      ingested,
      nodes: { layout, idFiles },
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
