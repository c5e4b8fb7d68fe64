import { NO_NEIGHBOUR, type NearestLists } from './nearest-lists.js'

/** The queries that the lists belong to. */
export interface Asked {
  readonly queryCount: number
  /** Neighbours that count for each query; at least 1. */
  readonly neighbours: number
  /**
   * By query, the node whose vector it is, which is left out of both lists. Absent for queries from outside the index.
   */
  readonly selves?: Uint32Array
}

/**
 * Share of the exact neighbours that were found, over all queries. A found node counts when it is not farther than the
 * last exact neighbour: among equal distances any node is right.
 */
export function recallOf(exact: NearestLists, found: NearestLists, { queryCount, neighbours, selves }: Asked): number {
  let hits = 0
  for (let query = 0; query < queryCount; query++) {
    const others = (lists: NearestLists): number[] => {
      const distances: number[] = []
      for (let at = query * lists.k; at < (query + 1) * lists.k && distances.length < neighbours; at++) {
        const node = lists.nodes[at]
        if (node !== NO_NEIGHBOUR && node !== selves?.[query]) distances.push(lists.distances[at])
      }
      return distances
    }
    const farthest = others(exact).at(-1) ?? Number.NEGATIVE_INFINITY
    hits += others(found).filter((distance) => distance <= farthest).length
  }
  return hits / (queryCount * neighbours)
}
