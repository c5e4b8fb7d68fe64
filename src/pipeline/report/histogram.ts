import type { Histogram } from '../../api/report.js'

/** The limit keeps a report small for any counts. Degrees up to 63 have a bucket each. */
const MOST_BUCKETS = 64

/**
 * Histogram of whole numbers from 0 on, where n occurs `countOf[n]` times. Without any numbers it has one empty bucket.
 */
export function histogramOfCounts(countOf: ArrayLike<number>, mostBuckets = MOST_BUCKETS): Histogram {
  let least = 0
  let most = countOf.length - 1
  while (least < countOf.length && countOf[least] === 0) least++
  while (most > least && countOf[most] === 0) most--
  if (least >= countOf.length) return { from: 0, width: 1, counts: [0], least: 0, most: 0 }
  const buckets = bucketsOf(least, most, mostBuckets)
  for (let value = least; value <= most; value++) buckets.counts[bucketOf(buckets, value)] += countOf[value]
  return { ...buckets, least, most }
}

/** Histogram of at least one whole number from 0 on. */
export function histogramOf(values: Iterable<number>, mostBuckets = MOST_BUCKETS): Histogram {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  const buckets = bucketsOf(least, most, mostBuckets)
  for (const value of values) buckets.counts[bucketOf(buckets, value)]++
  return { ...buckets, least, most }
}

interface Buckets {
  readonly from: number
  readonly width: number
  readonly counts: number[]
}

/**
 * Buckets of the narrowest width of 1, 2, 5, 10, 20, … that needs at most `mostBuckets`. They begin at a multiple of
 * it.
 */
function bucketsOf(least: number, most: number, mostBuckets: number): Buckets {
  for (let power = 1; ; power *= 10) {
    for (const width of [power, 2 * power, 5 * power]) {
      const first = Math.floor(least / width)
      const count = Math.floor(most / width) - first + 1
      if (count <= mostBuckets) return { from: first * width, width, counts: Array.from({ length: count }, () => 0) }
    }
  }
}

function bucketOf({ from, width }: Buckets, value: number): number {
  return Math.floor((value - from) / width)
}
