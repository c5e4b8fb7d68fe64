/** How good the answers of an index are, in a word. */
import type { RecallCurve, RecallInterval } from '../api/measure.js'
import type { BuildReport } from '../api/report.js'

export type Verdict = 'good' | 'fair' | 'poor'

/** The least recall@10 and self-recall, both at ef 64. Anything less is poor. */
const LEAST = { good: { recall: 0.95, itself: 0.99 }, fair: { recall: 0.9, itself: 0.95 } } as const

export const VERDICT_RULE = 'Good is from recall 0.95 and self-recall 0.99 on, fair from 0.90 and 0.95 on, else poor.'

/** Beside the word, because colour alone is not enough. */
export const VERDICT_SIGNS: Readonly<Record<Verdict, string>> = { good: '✓', fair: '◆', poor: '▲' }

export function verdictOf({ recall, selfRecall = 1 }: { recall: number; selfRecall?: number | undefined }): Verdict {
  const reaches = (least: { recall: number; itself: number }): boolean =>
    recall >= least.recall && selfRecall >= least.itself
  return reaches(LEAST.good) ? 'good' : reaches(LEAST.fair) ? 'fair' : 'poor'
}

/** Recall@10 at ef 64 of vectors of the index. */
export interface OwnRecall {
  readonly recall: number
  /** Absent in older reports. */
  readonly interval?: RecallInterval | undefined
  readonly queries: number
}

/** Queries of the proof. */
const PROOF_QUERIES = 200

/** Of all measurements the one with the most queries, so that a page has one recall for one ef. */
export function ownRecall({ recallAt10, recallInterval }: BuildReport, curve: RecallCurve | undefined): OwnRecall {
  const point = curve?.points.find(({ ef }) => ef === 64)
  if (curve?.source === 'sampled' && curve.k === 10 && point !== undefined) {
    return { recall: point.recall, interval: point.interval, queries: curve.queries }
  }
  return { recall: recallAt10, interval: recallInterval, queries: PROOF_QUERIES }
}

/** As `0.9745 (0.967 to 0.981)`. */
export function recallText(recall: number, interval: RecallInterval | undefined): string {
  return `${recall.toFixed(4)}${interval === undefined ? '' : ` (${intervalText(interval)})`}`
}

export function intervalText({ low, high }: RecallInterval): string {
  return `${low.toFixed(3)} to ${high.toFixed(3)}`
}
