import type { ValueCounts } from './values/value-column.js'

/** A value of a field, and how many records have it. A date is milliseconds. */
export interface FacetCount {
  readonly value: string | number | boolean
  readonly count: number
}

/** The values that most records have, most first, equal counts by ascending values; `limit` of them. */
export function facetsOf(counted: ValueCounts, limit = Infinity): FacetCount[] {
  const { size, counts } = counted
  const order = Uint32Array.from({ length: size }, (_, at) => at)
  order.sort((a, b) => counts[b] - counts[a] || a - b)
  return Array.from(order.subarray(0, Math.min(size, limit)), (at) => ({
    value: counted.valueOf(at),
    count: counts[at],
  }))
}
