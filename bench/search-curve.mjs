// Recall@10 and queries per second against ef, and queries per second at one recall.

export const K = 10
export const EFS = [16, 24, 32, 48, 64, 96, 128, 192, 256]
export const RECALLS = [0.9, 0.95, 0.98, 0.99]

const ROUNDS = 3

/**
 * [{ ef, recall, qps }]. @param searcherAt ef → a function that answers all queries and returns, for each, the numbers
 * of the rows found, or a promise of them. @param truth for each query its exact neighbours, nearest first; the first K count. @param roundMs a
 * round's length at least: one too short measures the timer and the scheduler.
 */
export async function measureCurve(searcherAt, truth, roundMs) {
  const wanted = truth.map((row) => new Set(row.subarray(0, K)))
  const curve = []
  for (const ef of EFS) {
    const searchAll = await searcherAt(ef)
    // The first pass warms caches and compilers, gives the recall, and says how many passes make a round.
    const start = performance.now()
    const found = await searchAll()
    const passes = Math.max(1, Math.ceil(roundMs / (performance.now() - start)))
    const hits = wanted.reduce((sum, set, i) => sum + found[i].filter((row) => set.has(row)).length, 0)
    const rates = []
    for (let round = 0; round < ROUNDS; round++) {
      const from = performance.now()
      for (let pass = 0; pass < passes; pass++) await searchAll()
      rates.push((1000 * passes * truth.length) / (performance.now() - from))
    }
    curve.push({ ef, recall: hits / (K * truth.length), qps: median(rates) })
  }
  return curve
}

/**
 * Queries per second at a recall: between the first two neighbouring points of the curve that enclose it, the logarithm
 * of the rate is taken as linear in the recall. Null when the curve does not reach it. When its first point is already
 * above, that point's rate, with `atLeast`: a smaller ef would be faster.
 */
export function qpsAtRecall(curve, recall) {
  const at = curve.findIndex((point) => point.recall >= recall)
  if (at === -1) return null
  const high = curve[at]
  if (at === 0) return { qps: high.qps, atLeast: high.recall > recall }
  const low = curve[at - 1]
  const share = (recall - low.recall) / (high.recall - low.recall)
  return { qps: Math.exp(Math.log(low.qps) + share * (Math.log(high.qps) - Math.log(low.qps))), atLeast: false }
}

/** The lower one of the middle two for an even number. */
export function median(values) {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]
}
