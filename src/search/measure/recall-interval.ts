import type { RecallInterval } from '../../api/measure.js'

/** Of the normal distribution: 95% lie within this many standard errors. */
const Z = 1.96

/**
 * The 95% interval of a mean recall, by the recall of each query. It is Wilson's interval (JASA 22, 1927) with as many
 * trials as explain the spread between queries: neighbours of one query are often found or lost together. Without any
 * spread each query is one trial.
 */
export function recallInterval(recalls: Float64Array): RecallInterval {
  const count = recalls.length
  const mean = recalls.reduce((sum, recall) => sum + recall, 0) / count
  const squares = recalls.reduce((sum, recall) => sum + (recall - mean) ** 2, 0)
  const trials = squares > 0 && count > 1 ? (mean * (1 - mean) * count * (count - 1)) / squares : count
  const shrink = 1 + Z ** 2 / trials
  const centre = (mean + Z ** 2 / (2 * trials)) / shrink
  const half = (Z / shrink) * Math.sqrt((mean * (1 - mean)) / trials + Z ** 2 / (4 * trials ** 2))
  // Rounding must not put the mean outside, nor an end outside of 0 to 1.
  return { low: Math.max(0, Math.min(mean, centre - half)), high: Math.min(1, Math.max(mean, centre + half)) }
}
