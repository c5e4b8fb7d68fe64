import type { RecallInterval } from '../../api/measure.js'
import { NO_NEIGHBOUR, type NearestLists } from './nearest-lists.js'
import { recallInterval } from './recall-interval.js'

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

export interface MeasuredRecall {
  readonly recall: number
  readonly interval: RecallInterval
}

/**
 * Share of the exact neighbours that were found, over all queries. A found node counts when it is not farther than the
 * last exact neighbour: among equal distances any node is right.
 */
export function recallOf(exact: NearestLists, found: NearestLists, asked: Asked): MeasuredRecall {
  const { queryCount, neighbours } = asked
  const hits = Float64Array.from({ length: queryCount }, (_, query) => hitsOf(exact, found, asked, query))
  return {
    recall: hits.reduce((sum, count) => sum + count, 0) / (queryCount * neighbours),
    interval: recallInterval(hits.map((count) => count / neighbours)),
  }
}

function hitsOf(exact: NearestLists, found: NearestLists, { neighbours, selves }: Asked, query: number): number {
  const others = (lists: NearestLists): number[] => {
    const distances: number[] = []
    for (let at = query * lists.k; at < (query + 1) * lists.k && distances.length < neighbours; at++) {
      const node = lists.nodes[at]
      if (node !== NO_NEIGHBOUR && node !== selves?.[query]) distances.push(lists.distances[at])
    }
    return distances
  }
  const farthest = others(exact).at(-1) ?? Number.NEGATIVE_INFINITY
  return others(found).filter((distance) => distance <= farthest).length
}
