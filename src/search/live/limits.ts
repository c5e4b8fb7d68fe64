/** Sizes of what changes since the last build. */

export interface LiveLimits {
  /** Sealed parts at most: then some are merged. */
  readonly maxParts: number
  /** Rows and deletes that one part in memory takes at most, and bytes of its vectors, and of its fields. */
  readonly memoryRows: number
  readonly memoryBytes: number
  /** Bytes of one log: what a part in memory takes besides its vectors is bounded by it, and the time to read it again. */
  readonly logBytes: number
  /** Parts in memory that wait to be sealed: writes wait when there are more. */
  readonly maxWaiting: number
  /** Below this a scan of all rows is faster than a graph, and than making one; fewer where rows are long. */
  readonly graphRows: number
}

export const LIVE_LIMITS: LiveLimits = {
  maxParts: 8,
  // A scan of 5,000 x 128 takes 0.1 ms, a third of a search of a million: with 10,000 a search takes twice as long.
  memoryRows: 5_000,
  memoryBytes: 4 * 2 ** 20,
  logBytes: 32 * 2 ** 20,
  maxWaiting: 4,
  graphRows: 2048,
}

/** Rows that one part in memory takes. */
export function memoryRows(dimensions: number, limits: LiveLimits): number {
  return Math.max(1, Math.min(limits.memoryRows, Math.floor(limits.memoryBytes / (4 * dimensions))))
}

/** Components that a scan goes over in the time of a search by a graph, and rows that are never worth a graph. */
const SCANNED_COMPONENTS = 2 ** 18
const FEW_ROWS = 256

/** Rows from which on a part has a graph. */
export function leastGraphRows(dimensions: number, { graphRows }: LiveLimits): number {
  return Math.min(graphRows, Math.max(FEW_ROWS, Math.floor(SCANNED_COMPONENTS / dimensions)))
}
