/** An index out of a file that another program built. */
import { layOutSegments, type SegmentLayout } from '../pipeline/layer/segment-layout.js'
import { writeIds } from '../pipeline/segments/write-ids.js'
import { DuplicateIdError, InvalidOptionError } from '../errors.js'
import type { BuildOptions } from '../api/build.js'
import type { BuildReport } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { HnswlibFile } from './hnswlib/hnswlib-file.js'
import { surveyFile, type Survey } from './hnswlib/survey.js'
import { readUpperLevels, writeLevel0 } from './hnswlib/write-level0.js'
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
  /** Length of the vectors. The file does not tell its type of numbers: this is checked against the bytes of one. */
  readonly dimensions: number
  /** What the file was built with: it does not tell. Under 'cosine' every vector must have unit length. */
  readonly metric: Metric
  /** File with the id of label n in line n, from 0, for a file whose labels are 0, 1, 2, …: text, or JSON in a .jsonl. */
  readonly ids?: string
}

/** An import has no choice between two of one id: nothing says which is the newer. */
const UNIQUE_LABELS = 'the labels of the file must be unique; export it anew, or build from the vectors'

/** Segments hold whole multiples of so many nodes. */
const LAYOUT_NODES = 4096

/**
 * Turns an hnswlib file (`saveIndex`, 64-bit) into an index and publishes it as the live generation of `options.path`. The
 * graph stays as it is: an element's place is its node, its label the id. Elements marked as deleted are left out,
 * with the links to them, and counted in `skippedInvalid`. Then comes the proof of every build: nodes out of reach are linked,
 * recall@10 is measured.
 *
 * The file is read twice, front to back. Memory: 4 bytes an element, the upper levels, and what the proof takes.
 * @throws InvalidFileError for what is no such file, damaged or out of bounds; DimensionMismatchError, InvalidVectorError,
 * DuplicateIdError, EmptySourceError, and what buildIndex throws. The generation that was live before stays live.
 */
export async function importIndex(path: string, options: ImportOptions): Promise<BuildReport> {
  const { ids, ...given } = options
  // Neither has a default that could be right.
  if (given.dimensions === undefined || given.metric === undefined) {
    throw new InvalidOptionError('an import needs dimensions and metric: an hnswlib file tells neither')
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

/** Copies vectors, links and upper levels out of the file. */
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
    run.log.event('useless-links', `${uselessLinks} links lead to their own node or were there twice: left out`)
  }
  return { vectors, links, degreeSum, upper: await readUpperLevels(run, file, survey) }
}

/** The layout groups whole shards; an import has none. */
function evenCounts(count: number): number[] {
  return Array.from({ length: Math.ceil(count / LAYOUT_NODES) }, (_, i) =>
    Math.min(LAYOUT_NODES, count - i * LAYOUT_NODES),
  )
}
