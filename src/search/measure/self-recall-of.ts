import { NO_NEIGHBOUR, type NearestLists } from './nearest-lists.js'

/** Queries that are vectors of the index. */
export interface SelfAsked {
  /** By query, the node whose vector it is. */
  readonly selves: Uint32Array
  /** By query, the distance of the vector to itself: 0 for l2, and near 0 for cosine, whose lengths are rounded. */
  readonly selfDistances: Float32Array
}

/**
 * Share of the queries whose search found their own node, or one that is not farther: among copies of a vector any of
 * them is right.
 */
export function selfRecallOf({ k, nodes, distances }: NearestLists, { selves, selfDistances }: SelfAsked): number {
  let hits = 0
  selves.forEach((self, query) => {
    for (let at = query * k; at < (query + 1) * k && nodes[at] !== NO_NEIGHBOUR; at++) {
      if (nodes[at] !== self && distances[at] > selfDistances[query]) continue
      hits++
      return
    }
  })
  return hits / selves.length
}
