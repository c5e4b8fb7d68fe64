import type { Histogram } from '../../api/report.js'

/** A report stays small whatever is counted. Degrees up to 63 have a bucket each. */
const MOST_BUCKETS = 64

/** Of how often each whole number from 0 on is there: `countOf[n]` times n. None is there: one empty bucket. */
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

/** Of whole numbers from 0 on, at least one. */
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

/** The narrowest of widths 1, 2, 5, 10, 20, … that needs no more buckets than that; they begin at multiples of it. */
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
