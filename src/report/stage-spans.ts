import type { BuildReport } from '../api/report.js'

export interface StageSpan {
  readonly name: string
  readonly fromSeconds: number
  readonly seconds: number
  readonly peakRssBytes: number
  /** Undefined for stages that do not work on all vectors. */
  readonly vectorsPerSecond: number | undefined
}

/** Times in reports are exact to the millisecond. */
const LEAST_SECONDS = 0.001
/** Stages that plan, link few of the vectors, or close files. */
const WITHOUT_VECTORS = ['plan', 'upper levels', 'publish']

/** When each stage ran. Without start times in the report, stages follow one another. */
export function stageSpans({ stages, count, skipped }: BuildReport): StageSpan[] {
  let end = 0
  return stages.map(({ name, atSeconds, seconds, peakRssBytes }) => {
    const fromSeconds = Math.max(0, atSeconds ?? end)
    end = fromSeconds + Math.max(0, seconds)
    const vectors = name === 'ingest' ? count + skipped : count
    return {
      name,
      fromSeconds,
      seconds: Math.max(0, seconds),
      peakRssBytes,
      vectorsPerSecond: seconds >= LEAST_SECONDS && !WITHOUT_VECTORS.includes(name) ? vectors / seconds : undefined,
    }
  })
}

/** Vectors per second over the whole build. */
export function overallRate({ count, seconds }: BuildReport): number {
  return count / Math.max(LEAST_SECONDS, seconds)
}

/** The end of the time axis, which all charts of a report share. */
export function endSeconds(report: BuildReport): number {
  const ends = stageSpans(report).map(({ fromSeconds, seconds }) => fromSeconds + seconds)
  const samples = report.memory?.timeline.map(({ atSeconds }) => atSeconds) ?? []
  return [...ends, ...samples].reduce((most, end) => Math.max(most, end), Math.max(report.seconds, LEAST_SECONDS))
}
