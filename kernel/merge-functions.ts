/**
 * The exports of kernel/assembly/merge-*.ts. A segment's shard rows lie one behind the other, u32 words
 * `[node][count][count x neighbour][count x distance word]`; the rows of its i-th node are
 * `places[starts[i] .. starts[i + 1])`, addresses of their counts.
 */
export interface MergeFunctions {
  /** starts: u32 x (count + 2), not yet usable. Returns the number of rows. */
  mergeCountRows(rows: number, bytes: number, firstNode: number, count: number, starts: number): number
  /** Finishes starts; places: u32 x rows. Returns the most candidates of any node, repeats counted. */
  mergePlaceRows(rows: number, bytes: number, firstNode: number, count: number, starts: number, places: number): number

  /**
   * Sets the bits of all candidates of the segment's nodes from `from` on, as long as there cannot be more than `limit`
   * distinct ones; one node is always taken. bits: u64 x ceil(nodes / 64), zero. Returns where it stopped.
   */
  mergeMark(starts: number, places: number, from: number, count: number, limit: number, bits: number): number
  /** ranks: u32 x words, the bits set before each u64; nodes: u32, the nodes of all set bits. Returns how many. */
  mergeRank(bits: number, words: number, ranks: number, nodes: number): number

  /**
   * Unites the rows of each node of `[from, to)` by (distance word, node), drops repeats, prunes as pruneI16 does and
   * writes `[count][maxDegree x node]` from `links` on. codes: the rows of all marked nodes, in order. scratch: 40 bytes
   * x widest, 8-byte aligned. Returns the sum of degrees.
   */
  readonly mergeLinksI16: MergeLinks
  /** As mergeLinksI16 on f32 rows. */
  readonly mergeLinksF32: MergeLinks
}

type MergeLinks = (
  starts: number,
  places: number,
  from: number,
  to: number,
  bits: number,
  ranks: number,
  codes: number,
  gridDims: number,
  maxDegree: number,
  alpha: number,
  widest: number,
  scratch: number,
  links: number,
) => number
