import path from 'node:path'
import { FORMAT_VERSION, type Manifest } from '../format/generation/manifest.js'
import { publishGeneration } from '../format/generation/publish-generation.js'
import { segmentFileName, type SegmentFile } from '../format/segment/segment-file.js'
import { codebookHeader, upperHeader } from '../format/segment/segment-header.js'
import { writeSegment } from '../format/segment/write-segment.js'
import type { BuildReport } from '../api/report.js'
import type { QuantizedVectors } from './quantize.js'
import type { UpperLevels } from './link-upper-levels.js'
import type { PlannedRun, Uses } from './run/run.js'
import type { FinishedIndex } from './linked-index.js'
import { seconds, buildReport } from './report/build-report.js'
import { throwIfAborted } from './run/run.js'

/**
 * Seals the segments (checksums, fsync), writes the manifest and switches CURRENT by one rename. Before the rename the
 * old generation is live, after it the new one.
 */
export async function publish(run: PlannedRun, finished: FinishedIndex): Promise<BuildReport> {
  const { options, paths, log, memory } = run
  const report = await run.stage('publish', async () => {
    throwIfAborted(run)
    const manifest = manifestOf(run, finished, await sealSegments(run, finished))
    const { keepGenerations } = options
    const { undeleted, unsynced } = await publishGeneration(paths.indexDir, paths.generation, manifest, {
      keepGenerations,
    })
    run.markPublished()
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
  return {
    ...report,
    stages: log.stages,
    events: log.events,
    seconds: seconds(log.elapsedSeconds),
    peakRssBytes: log.peakRssBytes,
    memory: memory.report,
  }
}

async function sealSegments(run: PlannedRun, finished: FinishedIndex): Promise<SegmentFile[]> {
  const { vectors, links, nodes, fieldFiles, quantized, upper, ingested } = finished
  return [
    ...(await vectors.seal()),
    ...(await links.seal()),
    ...(quantized === undefined ? [] : await sealQuantized(run, quantized, ingested.dimensions)),
    ...nodes.idFiles,
    ...fieldFiles,
    await writeUpper(run, upper, ingested.dimensions),
  ]
}

function manifestOf(run: PlannedRun, finished: FinishedIndex, segments: readonly SegmentFile[]): Manifest {
  const { options, paths } = run
  const { ingested, upper, origin } = finished
  return {
    formatVersion: FORMAT_VERSION,
    generation: paths.generation,
    createdAt: new Date().toISOString(),
    metric: options.metric,
    dimensions: ingested.dimensions,
    quantization: options.quantization,
    count: ingested.count,
    ...(ingested.ids.distinctIds !== undefined && { distinctIds: ingested.ids.distinctIds }),
    m: options.m,
    seed: options.seed,
    engine: origin.linkedBy ?? options.engine,
    entryPoint: upper.entryPoint,
    levels: upper.levels.length,
    ...(run.liveSequence > 0 && { liveSequence: run.liveSequence }),
    ...(ingested.fields !== undefined && { fields: ingested.fields.fields }),
    segments,
    report: buildReport(
      run,
      finished,
      segments.reduce((sum, file) => sum + file.bytes, 0),
    ),
  }
}

async function sealQuantized(
  { paths }: Uses<'paths'>,
  { quantization, segments, codebook }: QuantizedVectors,
  dimensions: number,
): Promise<SegmentFile[]> {
  const codes = await segments.seal()
  if (codebook.length === 0) return codes
  const file = path.join(paths.generationDir, segmentFileName('codebook'))
  const header = codebookHeader({ dimensions, quantization })
  return [...codes, await writeSegment(file, header, new Uint8Array(codebook.buffer))]
}

function writeUpper({ paths }: Uses<'paths'>, upper: UpperLevels, dimensions: number): Promise<SegmentFile> {
  const file = path.join(paths.generationDir, segmentFileName('upper'))
  const count = upper.levels[0]?.nodes.length ?? 0
  return writeSegment(file, upperHeader({ count, dimensions, dataBytes: upper.bytes.length }), upper.bytes)
}
