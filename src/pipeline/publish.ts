import path from 'node:path'
import { FORMAT_VERSION, type Manifest } from '../format/generation/manifest.js'
import { publishGeneration } from '../format/generation/publish-generation.js'
import { segmentFileName, type SegmentFile } from '../format/segment/segment-file.js'
import { codebookHeader, upperHeader } from '../format/segment/segment-header.js'
import { writeSegment } from '../format/segment/write-segment.js'
import type { BuildReport, GraphReport, Histogram } from '../api/report.js'
import { throwIfAborted, type PlannedContext } from './run/build-context.js'
import type { ChosenQuality } from './choose-quality.js'
import type { QuantizedVectors } from './quantize.js'
import type { OpenSegments } from './layer/create-segments.js'
import { histogramOfCounts } from './layer/histogram.js'
import type { IngestedFacts } from './ingest/ingest.js'
import type { OpenBuild } from './run/open-build.js'
import type { Proof } from './prove.js'
import type { UpperLevels } from './link-upper-levels.js'

export interface Finished {
  readonly ingested: IngestedFacts
  readonly shardCount: number
  /** Absent where there are no shards. */
  readonly shardSizes?: Histogram
  readonly chosen: ChosenQuality | { readonly quality: 'imported'; readonly trialRecall: undefined }
  /** What linked the vectors, when it was not the engine of the options. */
  readonly engine?: BuildReport['engine']
  readonly splitShards: number
  readonly averageDegree: number
  readonly proof: Proof
  readonly upper: UpperLevels
  readonly segments: {
    readonly vectors: OpenSegments
    readonly links: OpenSegments
    readonly codes: QuantizedVectors | undefined
    readonly ids: readonly SegmentFile[]
  }
}

/**
 * Seals the segments (checksums, fsync), writes the manifest and switches CURRENT by one rename. Before the rename the
 * old generation is live, after it the new one.
 */
export async function publish(build: OpenBuild, context: PlannedContext, finished: Finished): Promise<BuildReport> {
  const { options, paths, log } = context
  const { ingested, upper } = finished
  const report = await log.stage('publish', async () => {
    throwIfAborted(context)
    const { vectors, links, codes, ids } = finished.segments
    const segments = [
      ...(await vectors.seal()),
      ...(await links.seal()),
      ...(codes === undefined ? [] : await sealCodes(context, codes, ingested.dimensions)),
      ...ids,
      await writeUpper(context, upper, ingested.dimensions),
    ]
    const manifest: Manifest = {
      formatVersion: FORMAT_VERSION,
      generation: paths.generation,
      createdAt: new Date().toISOString(),
      metric: options.metric,
      dimensions: ingested.dimensions,
      quantization: options.quantization,
      count: ingested.count,
      m: options.m,
      seed: options.seed,
      engine: finished.engine ?? options.engine,
      entryPoint: upper.entryPoint,
      levels: upper.levels.length,
      segments,
      report: makeReport(
        context,
        finished,
        segments.reduce((sum, file) => sum + file.bytes, 0),
      ),
    }
    const { keepGenerations } = options
    const { undeleted, unsynced } = await publishGeneration(paths.indexDir, paths.generation, manifest, {
      keepGenerations,
    })
    build.markPublished()
    for (const { generation, cause } of undeleted) {
      log.event('old-generation-kept', `${generation} could not be deleted: ${String(cause)}`)
    }
    if (unsynced !== undefined) {
      log.event(
        'publish-unsynced',
        `${paths.generation} is live, but the device did not confirm it (${String(unsynced.cause)}): a power cut may bring ` +
          `the generation before it back, so old ones are kept`,
      )
    }
    return manifest.report
  })
  // The stage that just ended, and the last sample of memory, are not in the manifest's copy.
  const finalReport = {
    ...report,
    stages: log.stages,
    events: log.events,
    seconds: seconds(log.elapsedSeconds),
    peakRssBytes: log.peakRssBytes,
    memory: context.memory.report,
  }
  build.reported(finalReport)
  return finalReport
}

async function sealCodes(
  context: PlannedContext,
  { quantization, segments, codebook }: QuantizedVectors,
  dimensions: number,
): Promise<SegmentFile[]> {
  const codes = await segments.seal()
  if (codebook.length === 0) return codes
  const file = path.join(context.paths.generationDir, segmentFileName('codebook'))
  const header = codebookHeader({ dimensions, quantization })
  return [...codes, await writeSegment(file, header, new Uint8Array(codebook.buffer))]
}

function writeUpper(context: PlannedContext, upper: UpperLevels, dimensions: number): Promise<SegmentFile> {
  const file = path.join(context.paths.generationDir, segmentFileName('upper'))
  const count = upper.levels[0]?.nodes.length ?? 0
  return writeSegment(file, upperHeader({ count, dimensions, dataBytes: upper.bytes.length }), upper.bytes)
}

function makeReport(context: PlannedContext, finished: Finished, diskBytes: number): BuildReport {
  const { options, plan, pool, log, budget, paths } = context
  const { ingested, proof } = finished
  const { trialRecall } = finished.chosen
  return {
    count: ingested.count,
    skipped: ingested.skippedInvalid + ingested.ids.skippedDuplicates,
    skippedInvalid: ingested.skippedInvalid,
    skippedDuplicates: ingested.ids.skippedDuplicates,
    dimensions: ingested.dimensions,
    metric: options.metric,
    engine: finished.engine ?? options.engine,
    quality: finished.chosen.quality,
    ...(trialRecall !== undefined && { trialRecall }),
    quantization: options.quantization,
    m: options.m,
    seed: options.seed,
    threads: plan.threads,
    memoryBytes: plan.budgetBytes,
    shards: finished.shardCount,
    splitShards: finished.splitShards,
    seconds: seconds(log.elapsedSeconds),
    stages: [...log.stages],
    workers: { busySeconds: seconds(pool.work.busySeconds), tileSeconds: seconds(pool.work.tileSeconds) },
    peakRssBytes: log.peakRssBytes,
    memory: context.memory.report,
    spilledBytes: budget.spilledBytes,
    diskBytes,
    reachable: proof.reachable,
    repaired: proof.repaired,
    recallAt10: proof.recallAt10,
    averageDegree: Math.round(finished.averageDegree * 100) / 100,
    graph: graphReport(finished),
    generation: paths.generation,
    path: paths.indexDir,
    events: [...log.events],
    ...resumedReport(context),
  }
}

function graphReport({ shardSizes, proof, upper, ingested }: Finished): GraphReport {
  return {
    ...(shardSizes !== undefined && { shardSizes }),
    degrees: histogramOfCounts(proof.degreeCounts),
    levels: [ingested.count, ...upper.levels.map(({ nodes }) => nodes.length)],
  }
}

function resumedReport({ resume }: PlannedContext): Pick<BuildReport, 'resumed'> {
  if (resume?.finished === undefined) return {}
  return { resumed: { startedAt: resume.finished.startedAt, ...resume.reused } }
}

function seconds(value: number): number {
  return Math.round(value * 1000) / 1000
}
