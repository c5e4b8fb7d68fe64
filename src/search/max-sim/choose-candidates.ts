import type { Id } from '../../api/vectors.js'
import { compareIds, type Found } from '../live/search-live.js'

/**
 * The ids that are scored exactly, at most `most`: of those that a vector of the query proposed, the best by what is known
 * of them. Where a vector did not propose an id, the id is at least as far from it as the last one that it did.
 * `proposals`: by vector of the query, nearest first.
 */
export function chooseCandidates(proposals: readonly (readonly Found[])[], most: number): Id[] {
  /** By id: the sum of what its known distances are below the last ones. */
  const gains = new Map<Id, number>()
  for (const found of proposals) {
    const last = found.at(-1)?.distance ?? 0
    for (const { id, distance } of found) gains.set(id, (gains.get(id) ?? 0) + last - distance)
  }
  if (gains.size <= most) return [...gains.keys()]
  const best = [...gains].sort(([a, x], [b, y]) => y - x || compareIds(a, b))
  return best.slice(0, most).map(([id]) => id)
}
