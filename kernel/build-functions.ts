/**
 * The exports of kernel.wasm that build an index.
 *
 * Addresses are bytes in the kernel's memory, below 2^32; counts are u32. Nothing is checked and nothing is allocated:
 * the caller lays out the memory. Where a function takes a block, kernel/blocks.ts has its fields.
 *
 * Rows are row-major. Grid rows have `gridDims` components, a multiple of 8, i16 or f32, and are 16-byte aligned. Rows
 * of `dimensions` f32 components have any length. Distances are squared l2 and never negative, so their u32 bit
 * patterns ("distance words") order as the values do, in i32 (from i16 rows) and in f32.
 */
import type { Block } from './block.js'

export interface BuildFunctions {
  /** out: i32 x count. Exact below 2^31. */
  readonly normsI16: Norms
  /** out: f32 x count. */
  readonly normsF32: Norms

  /** out: ceil(count / 16) panels of 16 rows, [pair of dimensions][row][2], the last one padded with zeros. */
  readonly packI16: Pack
  /** out: ceil(count / 16) panels of 16 rows, [dimension][row], the last one padded with zeros. */
  readonly packF32: Pack

  /**
   * The distance tile. out: i32, row q of query q at `q * outStride` elements, `targetCount` of them written.
   *
   * The one function of nine numbers without a block: a build calls it per tile of rows, and writing a block takes 260
   * ns where the call takes 5. `TypedOps.distances` gives the numbers names.
   */
  readonly distancesI16: DistanceTile
  /** As distancesI16 in f32, clamped at 0. A pair's result does not depend on its place in the matrix. */
  readonly distancesF32: DistanceTile
  /** The same results, computed 16 targets at a time instead of 8: kernel/wide-tile.ts. */
  readonly distancesWideI16: DistanceTile
  readonly distancesWideF32: DistanceTile

  l2I16(a: number, b: number, gridDims: number): number
  l2F32(a: number, b: number, dimensions: number): number
  dotF32(a: number, b: number, dimensions: number): number

  /** rowPtrs: u32 addresses x count; out: i32 x count. */
  readonly gatherL2I16: Gather
  /** rowPtrs: u32 addresses x count; out: f32 x count. */
  readonly gatherL2F32: Gather

  /**
   * The k smallest of a row of distance words, ascending, ties by lower index. outIndex: u32 x k; outDistance: words x
   * k. Returns min(k, count).
   */
  nearestWords(row: number, count: number, k: number, outIndex: number, outDistance: number): number

  // Routing in two levels. A list of nearest leaders is u64 x fanOut, `word << 32 | leader`, ascending; all bits are set
  // in a free place.

  /** The listed rows and their norms, side by side. list: u32 x count; rowBytes is a multiple of 16. */
  probeGather(
    rows: number,
    norms: number,
    rowBytes: number,
    list: number,
    count: number,
    outRows: number,
    outNorms: number,
  ): void
  /**
   * Merges a cell's leaders into the lists of its visitors: the nearest fanOut stay, ties by lower leader. matrix:
   * distance words, count x leaderCount; list: u32 x count, each visitor's place in best; leaders: u32 x leaderCount.
   */
  probeKeep(
    matrix: number,
    list: number,
    count: number,
    leaders: number,
    leaderCount: number,
    fanOut: number,
    best: number,
  ): void
  /** nearest: u32 x count x fanOut. A free place repeats the row's first leader; where there is none, it gets 0. */
  probeFinish(best: number, count: number, fanOut: number, nearest: number): void

  /**
   * Candidates come nearest first, with their distances to the member. A candidate c is kept unless a kept q has
   * `alpha * d(c, q) < d(c, member)`. kept: u32 x 2 x count, candidate indexes; the words after the result are scratch.
   * Returns how many are kept.
   */
  readonly pruneI16: Prune
  /** As pruneI16 on f32 rows and distances. */
  readonly pruneF32: Prune

  /**
   * firstOf: u32 x count, the lowest row with the same bytes; distinct: u32 x count, the rows that are their own first,
   * ascending. table: u32 x (tableMask + 1), a power of two above count. rowBytes is a multiple of 16. Returns how many
   * are distinct.
   */
  groupRows(
    rows: number,
    rowBytes: number,
    count: number,
    table: number,
    tableMask: number,
    firstOf: number,
    distinct: number,
  ): number

  /**
   * squaredNorms: f64 x count, of the rows before scaling (NaN and infinity propagate). When `normalise` is not 0, rows
   * are scaled in place to unit length; a row whose norm is 0 or not finite stays as it is.
   */
  prepareRows(rows: number, count: number, dimensions: number, normalise: number, squaredNorms: number): void

  /**
   * rows: f32 x count x dimensions; out: i16 x count x gridDims, `round((x - mean) * scale)`, halves to even, zero
   * padded. Returns how many rows were scaled down to the largest norm.
   */
  encodeI16(encoder: Block<'GridEncoder'>, rows: number, count: number, out: number): number
  /** out: f32 x count x gridDims, `x - mean`, zero padded. */
  encodeF32(encoder: Block<'GridEncoder'>, rows: number, count: number, out: number): void

  /**
   * Adds each row to the sums of its cluster. clusters: u32 x count; sums: f64 x clusters x gridDims; squares: f64 x
   * clusters, sums of squared norms; counts: u32 x clusters.
   */
  readonly clusterSumsI16: ClusterSums
  /** As clusterSumsI16 on f32 rows. */
  readonly clusterSumsF32: ClusterSums

  // Quantized vectors of f32 rows. Rows and codebooks: docs/format.md; their sizes:
  // src/format/graph/quantized-shape.ts.

  /** Returns how many components were beyond the largest half, and became it. */
  encodeF16(rows: number, count: number, dimensions: number, out: number): number
  /** `normFactor`: of the squared norm that ends each row. Returns how many components were clamped to their range. */
  encodeSq8(rows: number, count: number, dimensions: number, codebook: number, normFactor: number, out: number): number
  /** out: u8 x count x subspaces. scratch: f32 x 256. */
  encodePq(
    rows: number,
    count: number,
    dimensions: number,
    codebook: number,
    subspaces: number,
    out: number,
    scratch: number,
  ): void
  /** One step of k-means on the first `count` rows. Returns how many changed their centroid. */
  pqStep(step: Block<'PqStep'>, count: number): number
  /** scratch: f32 x dimensions. */
  encodeBinary(rows: number, count: number, dimensions: number, codebook: number, out: number, scratch: number): void

  // Records, `[u32 ordinal][row]`; rows are whole u32 words.

  /** The row of record i goes to place `places[i]` of out. */
  scatterRecords(records: number, count: number, rowBytes: number, places: number, out: number): void
  /** Place i of out gets the row of record `order[i]`. */
  gatherRecords(records: number, count: number, rowBytes: number, order: number, out: number): void
  /**
   * Writes home records leader by leader, then replica records leader by leader, in the order of the rows in each. A
   * leader that is twice in a row's list gets the row once. Returns the bytes written.
   */
  routeRecords(route: Block<'RouteRecords'>): number

  // Graph rows, u32 words `[node][count][count x neighbour][count x distance word]`.

  /** A shard graph as graph rows by node, in runs of rows of one segment. Returns the number of runs. */
  writeGraphRows(graph: Block<'WriteGraphRows'>): number

  /**
   * rows: the graph rows of a segment, one behind the other; count: its nodes. starts: u32 x (count + 2), not yet
   * usable. Returns the number of rows.
   */
  mergeCountRows(rows: number, bytes: number, firstNode: number, count: number, starts: number): number
  /**
   * Finishes starts and fills places, u32 x rows: the rows of the i-th node are `places[starts[i] .. starts[i + 1])`,
   * addresses of their counts. Returns the most candidates of any node, repeats counted.
   */
  mergePlaceRows(rows: number, bytes: number, firstNode: number, count: number, starts: number, places: number): number
  /**
   * Marks all candidates of the segment's nodes from `from` on, while there cannot be more than `limit` distinct ones;
   * one node is always taken. bits: u64 x ceil(nodes / 64), zero at first. Returns the node it stopped before.
   */
  mergeMark(starts: number, places: number, from: number, count: number, limit: number, bits: number): number
  /** ranks: u32 x words, the bits set before each u64; nodes: u32, the marked nodes, ascending. Returns how many. */
  mergeRank(bits: number, words: number, ranks: number, nodes: number): number
  /**
   * Unites the rows of each node of a chunk by (distance word, node), drops repeats, prunes as pruneI16 does and writes
   * the links. Returns the sum of degrees.
   */
  mergeLinksI16(chunk: Block<'MergeLinks'>): number
  /** As mergeLinksI16 on f32 rows. */
  mergeLinksF32(chunk: Block<'MergeLinks'>): number

  /**
   * Links each row to those of the longest rows that its inner product is largest with, up to perNode, in place of its
   * farthest links where there is no room. links: `[count][maxDegree x node]` per row, that of `firstNode` first.
   * Returns how many links there are more than before.
   */
  linkLongest(longest: Block<'LongestLinks'>, links: number, rowCount: number, firstNode: number): number

  // The engine pipnn. A list is u32 members.

  /** Moves `wanted` members, drawn without replacement, to the front of the list, in random order. */
  pipnnShuffle(list: number, count: number, wanted: number, seed: number): void
  /** Rows and norms of the listed members, side by side. */
  pipnnGather(shard: Block<'PipnnShard'>, list: number, count: number, outRows: number, outNorms: number): void
  /**
   * The `fanOut` nearest columns of each row of a distance matrix. out: u32 x rowCount x fanOut; scratch: u32 x fanOut.
   */
  pipnnNearestBalls(
    matrix: number,
    rowCount: number,
    ballCount: number,
    fanOut: number,
    out: number,
    scratch: number,
  ): void
  /**
   * The `fanOut` nearest of `ballCount` leaders for each listed member, which are offered to each other as far candidates.
   * rows, leaders: u32 members; matrix: distance words, a row of ballCount per member; out: u32 x rowCount x fanOut.
   */
  pipnnNearestLeaders(
    shard: Block<'PipnnShard'>,
    isFloat: boolean,
    rows: number,
    rowCount: number,
    leaders: number,
    ballCount: number,
    fanOut: number,
    matrix: number,
    out: number,
  ): void
  /**
   * Members ball by ball, in list order in each. assigned, out: u32 x count x fanOut; starts: u32 x (ballCount + 1),
   * where each ball begins in out, then the end.
   */
  pipnnScatter(
    list: number,
    count: number,
    fanOut: number,
    assigned: number,
    ballCount: number,
    starts: number,
    out: number,
  ): void
  /** Makes empty records with the sketches of all members. directions: 12 rows like those of the grid. */
  pipnnSketchI16(shard: Block<'PipnnShard'>, directions: number): void
  /** As pipnnSketchI16 on f32 rows and directions. */
  pipnnSketchF32(shard: Block<'PipnnShard'>, directions: number): void
  /**
   * Fills the columns [0, firstRow) of `rowCount` rows of a symmetric matrix from the rows before. matrix: the whole
   * one, rows of `stride` words. firstRow and stride are multiples of 4.
   */
  pipnnMirror(matrix: number, stride: number, firstRow: number, rowCount: number): void
  /**
   * Offers each member of a leaf and its k nearest there to the reservoirs of both. list: the leaf's members, `size` of
   * them; matrix: distance words between them, rows of `stride`, overwritten. 1 <= k < size.
   */
  pipnnOffer(shard: Block<'PipnnShard'>, list: number, size: number, matrix: number, stride: number, k: number): void
  /** Offers each member of a leaf and the nearest far one of 4, 16 and 64 others to each other. After pipnnOffer. */
  pipnnOfferFar(
    shard: Block<'PipnnShard'>,
    isFloat: boolean,
    list: number,
    size: number,
    matrix: number,
    stride: number,
  ): void
  /**
   * Makes rows of the candidates of members `from` to `to - 1`, `degree` at most: near ones, and those far from all of
   * these.
   */
  pipnnCandidatesI16(shard: Block<'PipnnShard'>, rows: Block<'PipnnRows'>, from: number, to: number): void
  /** As pipnnCandidatesI16 on f32 rows; distances are measured again, pair by pair. */
  pipnnCandidatesF32(shard: Block<'PipnnShard'>, rows: Block<'PipnnRows'>, from: number, to: number): void
  /**
   * Links each part of the graph (links in either direction make one) to another part by a near pair, both ways.
   * parents: u32 x count, scratch. Returns how many pairs were linked.
   */
  pipnnJoinI16(shard: Block<'PipnnShard'>, rows: Block<'PipnnRows'>, parents: number): number
  /** As pipnnJoinI16 on f32 rows. */
  pipnnJoinF32(shard: Block<'PipnnShard'>, rows: Block<'PipnnRows'>, parents: number): number
  /** Closes the gaps between rows, in place, each cut to maxDegree. offsets: u32 x (count + 1). Returns all entries. */
  pipnnCompact(rows: Block<'PipnnRows'>, maxDegree: number, offsets: number): number
}

type Norms = (rows: number, count: number, gridDims: number, out: number) => void

type Pack = (rows: number, count: number, gridDims: number, out: number) => void

type DistanceTile = (
  queries: number,
  queryNorms: number,
  queryCount: number,
  panels: number,
  targetNorms: number,
  targetCount: number,
  gridDims: number,
  out: number,
  outStride: number,
) => void

type Gather = (query: number, rowPtrs: number, count: number, gridDims: number, out: number) => void

type Prune = (
  rowPtrs: number,
  distances: number,
  count: number,
  gridDims: number,
  maxDegree: number,
  alpha: number,
  kept: number,
) => number

type ClusterSums = (
  rows: number,
  count: number,
  gridDims: number,
  clusters: number,
  sums: number,
  squares: number,
  counts: number,
) => void
