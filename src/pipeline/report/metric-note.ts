import type { Metric } from '../../api/vectors.js'
import type { Sample } from '../ingest/reservoir-sample.js'

/** Of fewer vectors the lengths say little. */
const LEAST_ROWS = 100
const MOST_ROWS = 2000
/** Of squared lengths: float16 and rounding to four digits stay within it. */
const UNIT_TOLERANCE = 2e-3
/** Between the lengths that 5% and 95% of the vectors are below. */
const SPREAD = 2

/**
 * What may be a mistake in the choice of the metric, from the lengths of sampled vectors: l2 for vectors of unit length,
 * ip for vectors of many lengths. Undefined when there is nothing to say.
 */
export function metricNote(metric: Metric, { rows, count }: Sample): string | undefined {
  if (metric === 'cosine' || count < LEAST_ROWS) return undefined
  const dimensions = rows.length / count
  const lengths = Float64Array.from({ length: Math.min(count, MOST_ROWS) }, (_, row) => {
    let squared = 0
    for (let at = row * dimensions; at < (row + 1) * dimensions; at++) squared += rows[at] ** 2
    return Math.sqrt(squared)
  }).sort()
  return metric === 'l2' ? unitNote(lengths) : spreadNote(lengths)
}

function unitNote(lengths: Float64Array): string | undefined {
  if (lengths.some((length) => Math.abs(length * length - 1) > UNIT_TOLERANCE)) return undefined
  return (
    "all vectors have length 1, as embeddings made for cosine have: metric 'l2' ranks them as 'cosine' does only for " +
    "queries of length 1 too; if directions are what counts, choose metric 'cosine'"
  )
}

function spreadNote(lengths: Float64Array): string | undefined {
  const at = (share: number): number => lengths[Math.floor(share * (lengths.length - 1))]
  const [short, long] = [at(0.05), at(0.95)]
  if (long <= SPREAD * short) return undefined
  return (
    `lengths of vectors spread from ${short.toPrecision(3)} to ${long.toPrecision(3)} (5% to 95%): under metric 'ip' the ` +
    "long ones are found by most queries; if directions are what counts, choose metric 'cosine'"
  )
}
