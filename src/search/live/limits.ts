/** Sizes of what changes since the last build. */

/** Sealed parts at most: then some are merged. */
export const MAX_PARTS = 8
/** Rows, or deletes, that one part in memory takes at most, and bytes of its vectors. */
export const MEMORY_ROWS = 10_000
export const MEMORY_BYTES = 16 * 2 ** 20
/** Parts in memory that wait to be sealed: writes wait when there are more. */
export const MAX_WAITING = 4
/** Below this a scan of all rows is faster than a graph, and than making one. */
export const GRAPH_ROWS = 2048

/** Rows that one part in memory takes. */
export function memoryRows(dimensions: number): number {
  return Math.max(1, Math.min(MEMORY_ROWS, Math.floor(MEMORY_BYTES / (4 * dimensions))))
}
