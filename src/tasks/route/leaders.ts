/** Above this many leaders, routing goes through coarse leaders first, so that its cost stays near n log n. */
export const MAX_FLAT_LEADERS = 1000

/** The leaders of a layer. Plain data, because task descriptors contain it. */
export interface Leaders {
  /** Code rows, over a SharedArrayBuffer. */
  readonly codes: Uint8Array
  /** Added to every distance to the leader, in the unit of distances; whole numbers ≥ 0 for i16 codes. */
  readonly handicaps: Float64Array
  readonly count: number
  /** More than MAX_FLAT_LEADERS have them. */
  readonly cells?: LeaderCells
}

/**
 * Leaders by coarse leader, for routing in two levels. All of it is in shared memory and made once per layer: what each
 * task does does not grow with the number of leaders.
 */
export interface LeaderCells {
  readonly coarse: Leaders
  /** Where the cell of each coarse leader begins in `leaders`, then the end. */
  readonly starts: Uint32Array
  /** Leaders cell by cell, ascending in each. */
  readonly leaders: Uint32Array
  /** Their codes, packed for the tile kernel: each cell begins with a new panel. */
  readonly panels: Uint8Array
  /** Their norms with their handicaps, as the tile kernel adds them: words of i32 or f32. */
  readonly norms: Uint32Array
}
