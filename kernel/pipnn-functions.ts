/**
 * The exports of kernel/assembly/pipnn-*.ts. A list is u32 member indexes; records are the reservoirs with their
 * sketches, `recordBytes` each (pipnn-reservoir.ts has the layout); capacity is a multiple of 4.
 */
export interface PipnnFunctions {
  /** Moves `wanted` members, drawn without replacement, to the front of the list, in random order. */
  pipnnShuffle(list: number, count: number, wanted: number, seed: number): void
  /** Rows and norms of the listed members, side by side. */
  pipnnGather(
    codes: number,
    norms: number,
    rowBytes: number,
    list: number,
    count: number,
    outRows: number,
    outNorms: number,
  ): void
  /** The `fanOut` nearest columns of each row of a distance matrix. out: u32 x rowCount x fanOut; scratch: u32 x fanOut. */
  pipnnNearestBalls(
    matrix: number,
    rowCount: number,
    ballCount: number,
    fanOut: number,
    out: number,
    scratch: number,
  ): void
  /** Members ball by ball. assigned, out: u32 x count x fanOut; starts: u32 x (ballCount + 1). */
  pipnnScatter(
    list: number,
    count: number,
    fanOut: number,
    assigned: number,
    ballCount: number,
    starts: number,
    out: number,
  ): void

  /** Empty records with the sketches of all rows. directions: 12 rows like the codes. */
  readonly pipnnSketchI16: (
    codes: number,
    count: number,
    gridDims: number,
    directions: number,
    records: number,
    recordBytes: number,
  ) => void
  readonly pipnnSketchF32: (
    codes: number,
    count: number,
    gridDims: number,
    directions: number,
    records: number,
    recordBytes: number,
  ) => void

  /**
   * Fills the columns [0, firstRow) of `rowCount` rows of a symmetric matrix from the rows before. firstRow and stride
   * are multiples of 4; matrix is the whole one.
   */
  pipnnMirror(matrix: number, stride: number, firstRow: number, rowCount: number): void
  /**
   * Each of `rowCount` members of a leaf and its k nearest there, offered to both reservoirs. matrix: their distance
   * words to all `size` members, rows of `stride`, overwritten. 1 <= k < size. scratch: u32 x 2k.
   */
  pipnnOffer(
    list: number,
    size: number,
    firstRow: number,
    rowCount: number,
    matrix: number,
    stride: number,
    k: number,
    records: number,
    recordBytes: number,
    capacity: number,
    scratch: number,
  ): void

  /** Prunes the listed members' reservoirs in place. norms: of all members. maxDegree <= capacity. scratch: 16-byte aligned, 24 x capacity. */
  readonly pipnnPruneI16: (
    codes: number,
    norms: number,
    gridDims: number,
    list: number,
    count: number,
    records: number,
    recordBytes: number,
    capacity: number,
    maxDegree: number,
    alpha: number,
    scratch: number,
  ) => void
  /** As pipnnPruneI16 on f32 rows; distances are measured again, pair by pair. */
  readonly pipnnPruneF32: (
    codes: number,
    norms: number,
    gridDims: number,
    list: number,
    count: number,
    records: number,
    recordBytes: number,
    capacity: number,
    maxDegree: number,
    alpha: number,
    scratch: number,
  ) => void

  /** Rows from pruned reservoirs and their reverse links. counts: u32 x count; neighbours, words: u32 x count x degree. */
  pipnnLink(
    list: number,
    count: number,
    records: number,
    recordBytes: number,
    capacity: number,
    degree: number,
    counts: number,
    neighbours: number,
    words: number,
  ): void
  /** Links parts that nothing links, by a near pair each. parents: u32 x count, scratch. Returns how many pairs. */
  readonly pipnnJoinI16: (
    codes: number,
    gridDims: number,
    count: number,
    degree: number,
    counts: number,
    neighbours: number,
    words: number,
    parents: number,
  ) => number
  readonly pipnnJoinF32: (
    codes: number,
    gridDims: number,
    count: number,
    degree: number,
    counts: number,
    neighbours: number,
    words: number,
    parents: number,
  ) => number
  /** Closes the gaps between rows, in place, each cut to maxDegree. offsets: u32 x (count + 1). Returns all entries. */
  pipnnCompact(
    count: number,
    degree: number,
    maxDegree: number,
    counts: number,
    neighbours: number,
    words: number,
    offsets: number,
  ): number
}
