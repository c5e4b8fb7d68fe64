/** The exports of kernel/assembly/search.ts. `context` is the SearchContext that src/search/search-core.ts writes. */
export interface SearchFunctions {
  /**
   * Squared l2. 1 <= k <= ef. Leaves the min(k, reached) nearest in the context's beam as (u32 node, f32 distance)
   * pairs, ascending, ties by lower node; returns how many.
   */
  searchL2(context: number, k: number, ef: number): number
  /** As searchL2 with bias - dot. */
  searchDot(context: number, k: number, ef: number): number

  /** As searchL2, of rows in pages: asks for those that are not here (`Kernel.onMissingPage`). */
  searchPagedL2(context: number, k: number, ef: number): number
  /** As searchDot, of rows in pages. */
  searchPagedDot(context: number, k: number, ef: number): number
  /** Distances to the nodes in the context's `ids`, at most 2m of them, into its `distances`. Flags are 0 or 1. */
  searchScan(context: number, count: number, l2: number, paged: number): void

  /** The distance that searchL2 gives a row, to the bit. Any dims; 4-byte aligned rows. */
  searchDistanceL2(query: number, row: number, dims: number): number
  /** The distance that searchDot gives a row, to the bit. */
  searchDistanceDot(query: number, row: number, dims: number, bias: number): number
}
