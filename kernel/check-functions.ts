/** The exports of kernel/assembly/search/check-rows.ts: whether a search may follow words that came from a file. */
export interface CheckFunctions {
  /** rows: u32 x rowCount x (1 + maxLinks). The first that `firstUnsafeRow` of src/format/graph/check-links.ts finds, else rowCount. */
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
