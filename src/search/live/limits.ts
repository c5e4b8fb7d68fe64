/** Sizes of what changes since the last build. */

export interface LiveLimits {
  /** Sealed parts at most: then some are merged. */
  readonly maxParts: number
  /** Rows and deletes that one part in memory takes at most, and bytes of its vectors. */
  readonly memoryRows: number
  readonly memoryBytes: number
  /** Bytes of one log: what a part in memory takes besides its vectors is bounded by it, and the time to read it again. */
  readonly logBytes: number
  /** Parts in memory that wait to be sealed: writes wait when there are more. */
  readonly maxWaiting: number
  /** Below this a scan of all rows is faster than a graph, and than making one. */
  readonly graphRows: number
}

export const LIVE_LIMITS: LiveLimits = {
  maxParts: 8,
  memoryRows: 10_000,
  memoryBytes: 16 * 2 ** 20,
  logBytes: 32 * 2 ** 20,
  maxWaiting: 4,
  graphRows: 2048,
}

/** Rows that one part in memory takes. */
export function memoryRows(dimensions: number, limits: LiveLimits): number {
  return Math.max(1, Math.min(limits.memoryRows, Math.floor(limits.memoryBytes / (4 * dimensions))))
}
