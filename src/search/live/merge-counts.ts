import { compareOperands } from '../../fields/filter/operands.js'
import type { FacetCount } from '../fields/facets.js'

/** Counts of several parts together: most first, equal counts by ascending values; at most `limit`. */
export function mergeCounts(parts: readonly (readonly FacetCount[])[], limit = Infinity): FacetCount[] {
  const counts = new Map<FacetCount['value'], number>()
  for (const part of parts) {
    for (const { value, count } of part) counts.set(value, (counts.get(value) ?? 0) + count)
  }
  const merged = Array.from(counts, ([value, count]) => ({ value, count }))
  merged.sort((a, b) => b.count - a.count || compareOperands(a.value, b.value))
  return merged.slice(0, limit)
}
