/**
 * The exports of kernel/assembly/{records,graph-rows,cluster-sums}.ts. A record is `[u32 ordinal][row]`; rows are whole
 * u32 words.
 */
export interface RecordFunctions {
  /** The row of record i goes to place `places[i]` of out. */
  scatterRecords(records: number, count: number, rowBytes: number, places: number, out: number): void
  /** Place i of out gets the row of record `order[i]`. */
  gatherRecords(records: number, count: number, rowBytes: number, order: number, out: number): void
  /**
   * Home records (rows) leader by leader, then replica records (codes) leader by leader, in the order of the rows in
   * each; a leader that is twice in a row's list gets it once. nearest: u32 x count x overlap; counts: u32 x 2 leaders,
   * records of each; offsets: u32 x 2 leaders, scratch. Returns the bytes written.
   */
  routeRecords(
    nearest: number,
    count: number,
    overlap: number,
    leaders: number,
    ordinals: number,
    rows: number,
    rowBytes: number,
    codes: number,
    codeBytes: number,
    counts: number,
    offsets: number,
    out: number,
  ): number

  /**
   * A shard graph as rows `[node][count][count x neighbour][count x distance word]` by node, in runs that stay in one
   * segment and, unless one row is longer, within runBytes. nodes: u32 x count, of homes and then of replicas, ascending
   * in each; the first `before` replicas come before the homes, the others after them. starts: u32, first node of each
   * segment, then the end. runs: (segment, rows, bytes), u32 x 3, as many as rows at most. Returns the number of runs.
   */
  writeGraphRows(
    count: number,
    homeCount: number,
    before: number,
    nodes: number,
    offsets: number,
    neighbours: number,
    words: number,
    starts: number,
    runBytes: number,
    out: number,
    runs: number,
  ): number

  /**
   * Adds each row to the sums of its cluster. clusters: u32 x count; sums: f64 x clusters x gridDims; squares: f64 x
   * clusters, sums of squared norms; counts: u32 x clusters.
   */
  readonly clusterSumsI16: ClusterSums
  /** As clusterSumsI16 on f32 rows. */
  readonly clusterSumsF32: ClusterSums
}

type ClusterSums = (
  rows: number,
  count: number,
  gridDims: number,
  clusters: number,
  sums: number,
  squares: number,
  counts: number,
) => void
