/** The exports of kernel/assembly/search*.ts. `context` is the SearchContext that src/search/core/search-context.ts writes. */
export interface SearchFunctions {
  /**
   * 1 <= k <= ef. Leaves the min(k, reached) nearest in the context's beam as (u32 node, f32 distance) pairs, ascending,
   * ties by lower node; returns how many. Rows that are not here are asked for (`Kernel.onMissingPage`). `rerank`: how many
   * of the best are scored again on their vectors, where the walk goes by codes; 0 without codes.
   */
  search(context: number, k: number, ef: number, rerank: number): number
  /** Distances to the vectors of the nodes in the context's `ids`, at most 2m of them, into its `distances`. */
  searchScan(context: number, count: number): void

  /** The squared l2 distance that a search gives a vector, to the bit. Any dims; 4-byte aligned rows. */
  searchDistanceL2(query: number, row: number, dims: number): number
  /** As searchDistanceL2, bias - dot. */
  searchDistanceDot(query: number, row: number, dims: number, bias: number): number
}
