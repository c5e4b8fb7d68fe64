import type { Block } from './block.js'

/**
 * The exports of kernel.wasm and kernel-shared.wasm that search an index, and check words from a file before a search
 * follows them. Addresses and counts: kernel/build-functions.ts.
 */
export interface SearchFunctions {
  /** The first byte behind the module's static data: the arena begins here. */
  heapBase(): number

  /**
   * context: the SearchContext that src/search/core/search-context.ts writes. 1 <= k <= ef. Leaves the min(k, reached)
   * nearest in the context's beam as (u32 node, f32 distance) pairs, ascending, ties by lower node; returns how many.
   * Missing pages are asked for (`Kernel.onMissingPage`), and distances to rows of other memories (`Kernel.far`). `rerank`: how many of the best are scored again on their
   * vectors, where the walk goes by quantized vectors; 0 without them.
   */
  search(context: number, k: number, ef: number, rerank: number): number
  /** Distances to the vectors of the nodes in the context's `ids`, at most 2m of them, into its `distances`. */
  searchScan(context: number, count: number): void
  /**
   * For a search that walks in another memory: distances to the rows in the context's `ids` (at most 2m, of `walked`),
   * into its `distances`. Those above `worst` may be any larger value. The query must be prepared in the context.
   */
  searchDistances(context: number, count: number, worst: number): void
  /** The address of a row of `walked`, good until the next page is loaded. */
  searchRow(context: number, node: number): number

  /**
   * The nearest of the block's rows, exactly: min(k, rows that count) of them in `best`, as (u32 row, f32 distance)
   * pairs, ascending, ties by lower row; returns how many. Distances are those of a search to the bit; NaN counts as
   * Infinity.
   */
  scanNearest(block: Block<'ScanNearest'>): number

  /**
   * The squared l2 distance that a search gives a vector, to the bit. 4-byte aligned rows. Not in kernel-shared.wasm.
   */
  searchDistanceL2(query: number, row: number, dimensions: number): number
  /** As searchDistanceL2, bias - dot. */
  searchDistanceDot(query: number, row: number, dimensions: number, bias: number): number

  /**
   * rows: u32 x rowCount x (1 + maxLinks). The first that `firstUnsafeRow` of src/format/graph/check-links.ts finds,
   * else rowCount.
   */
  firstUnsafeRow(rows: number, rowCount: number, maxLinks: number, targetCount: number): number
  /**
   * nodes, down: u32 x count; below: u32 x belowCount, or 0 on level 1. The first that `firstUnsafeEntry` of
   * src/format/graph/check-upper.ts finds, else count.
   */
  firstUnsafeEntry(
    nodes: number,
    down: number,
    count: number,
    below: number,
    belowCount: number,
    nodeCount: number,
  ): number
}
