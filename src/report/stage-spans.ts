import type { BuildReport } from '../api/report.js'

export interface StageSpan {
  readonly name: string
  readonly fromSeconds: number
  readonly seconds: number
  readonly peakRssBytes: number
  /** Of those that went through the stage; undefined where vectors are not what it works on. */
  readonly vectorsPerSecond: number | undefined
}

/** Reports have times to the millisecond. */
const LEAST_SECONDS = 0.001
/** They plan, link a few of the vectors, and close files. */
const WITHOUT_VECTORS = ['plan', 'upper levels', 'publish']

/** When each stage ran. Reports that do not say when one began have them one after the other. */
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

/** From beginning to end. */
export function overallRate({ count, seconds }: BuildReport): number {
  return count / Math.max(LEAST_SECONDS, seconds)
}

/** Where the time axis of a report ends: all of its charts over time have the same. */
export function endSeconds(report: BuildReport): number {
  const ends = stageSpans(report).map(({ fromSeconds, seconds }) => fromSeconds + seconds)
  const samples = report.memory?.timeline.map(({ atSeconds }) => atSeconds) ?? []
  return [...ends, ...samples].reduce((most, end) => Math.max(most, end), Math.max(report.seconds, LEAST_SECONDS))
}
