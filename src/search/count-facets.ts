/** How many vectors have each value of a field, in all parts of a view. */
import type { FacetCount } from '../api/search.js'
import { mergeCounts } from './live/merge-counts.js'
import type { CheckedFacets } from './check-search-options.js'
import { askedParts } from './find-nearest.js'
import { bitsOf } from './filter/node-filter.js'
import { fieldsOf, type OpenView } from './view/open-view.js'

/** Most first, equal counts by ascending values. @throws CorruptIndexError */
export function countFacets(view: OpenView, { field, filter, limit }: CheckedFacets): FacetCount[] {
  const parts = askedParts(view, filter).map(({ part, filter: kept }) =>
    part.facets(field, kept && (kept.bits ?? bitsOf(kept, part.rows))),
  )
  const counts = parts.length === 1 ? parts[0].slice(0, limit) : mergeCounts(parts, limit)
  if (fieldsOf(view)?.[field].type !== 'date') return counts
  return counts.map(({ value, count }) => ({ value: new Date(value as number), count }))
}
