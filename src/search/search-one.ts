import type { GivenId, Metric, VectorLike } from '../api/vectors.js'
import type { SearchHit } from '../api/search.js'
import type { CheckedSearch } from './check-search-options.js'
import { copyQuery } from './copy-query.js'
import type { FoundId } from './ids/best-ids.js'
import { searchIds } from './ids/id-search.js'
import { nodeFilter } from './node-filter.js'
import type { NodeIds } from './node-ids.js'
import type { OpenGeneration } from './open-generation.js'
import { searchFiltered } from './search-filtered.js'

/**
 * Searches one generation on this thread. `position` names the query in errors.
 * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError
 */
export function searchOne(
  open: OpenGeneration,
  query: VectorLike,
  position: number,
  { filter, ...asked }: CheckedSearch,
): SearchHit<GivenId>[] {
  const { core, ids, facts, query: copy } = open
  copyQuery(query, position, facts.metric, copy)
  if (facts.repeatedIds) return idHitsOf(open, searchIds(open, copy, asked, filter && nodeFilter(open, filter)))
  const found =
    filter === undefined
      ? core.search(copy, asked.k, asked.ef, asked.rerank)
      : searchFiltered(core, copy, asked, nodeFilter(open, filter))
  return hitsOf(facts.metric, ids, core.nodes.subarray(0, found), core.distances)
}

/** Found ids as the caller wants them. */
export function idHitsOf({ facts, ids }: OpenGeneration, found: readonly FoundId[]): SearchHit<GivenId>[] {
  const nodes = Uint32Array.from(found, ({ node }) => node)
  const distances = Float32Array.from(found, ({ distance }) => distance)
  return hitsOf(facts.metric, ids, nodes, distances)
}

/** Found nodes in the caller's ids. */
export function hitsOf(
  metric: Metric,
  ids: NodeIds,
  nodes: Uint32Array,
  distances: Float32Array,
): SearchHit<GivenId>[] {
  const hits: SearchHit<GivenId>[] = []
  // In float32 the product of two unit vectors can be a little above 1; no cosine distance is below 0.
  const least = metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
  for (let i = 0; i < nodes.length; i++) {
    hits.push({ id: ids.shownIdOf(nodes[i]), distance: Math.max(least, distances[i]) })
  }
  return hits
}
