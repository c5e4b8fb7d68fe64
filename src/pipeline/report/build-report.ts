import { tileName } from '../../../kernel/wide-tile.js'
import type { BuildReport, GraphReport } from '../../api/report.js'
import type { FinishedIndex } from '../linked-index.js'
import type { PlannedRun, Uses } from '../run/run.js'
import { histogramOfCounts } from './histogram.js'

/** The report of the build, before its last stage has ended. */
export function buildReport(run: PlannedRun, finished: FinishedIndex, diskBytes: number): BuildReport {
  const { options, plan, tasks, log, queues, paths } = run
  const { ingested, proof, origin } = finished
  const { quality, trialRecall } = origin.chosen
  const { recallAt10, recallInterval, selfRecall } = proof
  return {
    count: ingested.count,
    skipped: ingested.skippedInvalid + ingested.ids.skippedDuplicates,
    skippedInvalid: ingested.skippedInvalid,
    skippedDuplicates: ingested.ids.skippedDuplicates,
    ...(ingested.ids.distinctIds !== undefined && { distinctIds: ingested.ids.distinctIds }),
    ...(ingested.fields !== undefined && {
      fields: { count: ingested.fields.fields.length, bytes: ingested.fields.totalBytes },
    }),
    dimensions: ingested.dimensions,
    metric: options.metric,
    engine: origin.linkedBy ?? options.engine,
    quality,
    ...(trialRecall !== undefined && { trialRecall }),
    quantization: options.quantization,
    m: options.m,
    seed: options.seed,
    threads: plan.threads,
    memoryBytes: plan.budgetBytes,
    shards: origin.shardCount,
    splitShards: origin.splitShards,
    seconds: seconds(log.elapsedSeconds),
    stages: [...log.stages],
    workers: {
      busySeconds: seconds(tasks.work.busySeconds),
      tileSeconds: seconds(tasks.work.tileSeconds),
      tile: tileName(),
    },
    ...(run.hosts !== undefined && { hosts: [...run.hosts] }),
    peakRssBytes: log.peakRssBytes,
    memory: run.memory.report,
    spilledBytes: queues.budget.spilledBytes,
    resumeBytes: queues.budget.copiedBytes,
    diskBytes,
    reachable: proof.reachable,
    repaired: proof.repaired,
    recallAt10,
    recallInterval,
    ...(selfRecall !== undefined && { selfRecall }),
    averageDegree: Math.round((100 * finished.degreeSum) / ingested.count) / 100,
    graph: graphReport(finished),
    generation: paths.generation,
    path: paths.indexDir,
    events: [...log.events],
    ...resumedReport(run),
  }
}

function graphReport({ origin: { shardSizes }, proof, upper, ingested }: FinishedIndex): GraphReport {
  return {
    ...(shardSizes !== undefined && { shardSizes }),
    degrees: histogramOfCounts(proof.degreeCounts),
    levels: [ingested.count, ...upper.levels.map(({ nodes }) => nodes.length)],
  }
}

function resumedReport({ resume }: Uses<'resume'>): Pick<BuildReport, 'resumed'> {
  if (resume?.finished === undefined) return {}
  return { resumed: { startedAt: resume.finished.startedAt, ...resume.reused } }
}

/** Rounded to milliseconds. */
export function seconds(value: number): number {
  return Math.round(value * 1000) / 1000
}
