/** The k nearest nodes so far of each query: ascending by distance, ties by lower node. Flat, row-major. */
export interface NearestLists {
  readonly k: number
  readonly nodes: Uint32Array
  readonly distances: Float32Array
}

export const NO_NEIGHBOUR = 0xffffffff

export function emptyLists(queries: number, k: number): NearestLists {
  return {
    k,
    nodes: new Uint32Array(queries * k).fill(NO_NEIGHBOUR),
    distances: new Float32Array(queries * k).fill(Number.POSITIVE_INFINITY),
  }
}

export function insertNearest(lists: NearestLists, query: number, node: number, distance: number): void {
  const { k, nodes, distances } = lists
  const first = query * k
  const end = first + k
  let slot = end
  while (
    slot > first &&
    (distance < distances[slot - 1] || (distance === distances[slot - 1] && node < nodes[slot - 1]))
  ) {
    slot--
  }
  if (slot === end) return
  nodes.copyWithin(slot + 1, slot, end - 1)
  distances.copyWithin(slot + 1, slot, end - 1)
  nodes[slot] = node
  distances[slot] = distance
}
