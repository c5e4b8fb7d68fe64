import type { GivenId, VectorLike } from '../api/vectors.js'
import type { SearchHit } from '../api/search.js'
import type { CheckedSearch } from './check-search-options.js'
import { copyQuery } from './copy-query.js'
import { fieldsOfNode } from './hit-fields.js'
import type { FoundId } from './ids/best-ids.js'
import { searchIds } from './ids/id-search.js'
import { nodeFilter } from './filter/node-filter.js'
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
  { filter, select, ...asked }: CheckedSearch,
): SearchHit<GivenId>[] {
  const { core, facts, query: copy } = open
  copyQuery(query, position, facts.metric, copy)
  if (facts.repeatedIds) {
    return idHitsOf(open, searchIds(open, copy, asked, filter && nodeFilter(open, filter)), select)
  }
  const found =
    filter === undefined
      ? core.search(copy, asked.k, asked.ef, asked.rerank)
      : searchFiltered(core, copy, asked, nodeFilter(open, filter))
  return hitsOf(open, core.nodes.subarray(0, found), core.distances, select)
}

/** Found ids as the caller wants them. */
export function idHitsOf(
  open: OpenGeneration,
  found: readonly FoundId[],
  select: ReadonlySet<number> | undefined,
): SearchHit<GivenId>[] {
  const nodes = Uint32Array.from(found, ({ node }) => node)
  const distances = Float32Array.from(found, ({ distance }) => distance)
  return hitsOf(open, nodes, distances, select)
}

/** Found nodes in the caller's ids, with the fields at the positions of `select`. */
export function hitsOf(
  open: OpenGeneration,
  nodes: Uint32Array,
  distances: Float32Array,
  select: ReadonlySet<number> | undefined,
): SearchHit<GivenId>[] {
  const { facts, ids } = open
  const hits: SearchHit<GivenId>[] = []
  // In float32 the product of two unit vectors can be a little above 1; no cosine distance is below 0.
  const least = facts.metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
  for (let i = 0; i < nodes.length; i++) {
    const id = ids.shownIdOf(nodes[i])
    const distance = Math.max(least, distances[i])
    hits.push(select === undefined ? { id, distance } : { id, distance, fields: fieldsOfNode(open, nodes[i], select) })
  }
  return hits
}
