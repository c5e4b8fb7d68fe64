/**
 * The blocks that building and exact search pass to the kernel: fields, shapes and units. u32 fields without a unit are
 * addresses or counts.
 */
import { blockLayout } from './block.js'

/** How float rows come onto the grid. */
export const GRID_ENCODER = blockLayout('GridEncoder', {
  scale: 'f64',
  /** A grid row beyond this is scaled down to it. Unused for f32. */
  maxSquaredNorm: 'f64',
  /** From 0 on, the component sqrt(max(0, radiusSquared - |x|^2)) is added at index `dimensions`, before centring. */
  radiusSquared: 'f64',
  /** f32 x gridDims. */
  mean: 'u32',
  dimensions: 'u32',
  gridDims: 'u32',
})

/** One step of k-means in one subspace of pq: the dimensions `from` to `to - 1`. */
export const PQ_STEP = blockLayout('PqStep', {
  /** f32 x count x dimensions. */
  rows: 'u32',
  dimensions: 'u32',
  /** f32 x dimensions x 256 centroids; the step moves those of its dimensions. */
  codebook: 'u32',
  from: 'u32',
  to: 'u32',
  /** u8 x count: the step's result, and the result of the step before. Any values do before the first step. */
  codes: 'u32',
  /** f64 x (to - from) x 256, scratch. */
  sums: 'u32',
  /** u32 x 256, scratch. */
  sizes: 'u32',
  /** f32 x 256, scratch. */
  table: 'u32',
  /** f32 x count, scratch. */
  far: 'u32',
})

/** Rows on their way to the shards of their leaders. */
export const ROUTE_RECORDS = blockLayout('RouteRecords', {
  /** u32 x count x overlap, nearest first. */
  nearest: 'u32',
  count: 'u32',
  overlap: 'u32',
  leaders: 'u32',
  /** u32 x count. */
  ordinals: 'u32',
  /** What homes get, `rowBytes` each. */
  rows: 'u32',
  rowBytes: 'u32',
  /** What replicas get, `gridBytes` each. */
  grid: 'u32',
  gridBytes: 'u32',
  /** Out: u32 x 2 leaders, records of each partition. */
  counts: 'u32',
  /** u32 x 2 leaders, scratch. */
  offsets: 'u32',
  out: 'u32',
})

/** A shard graph on its way to merge. */
export const WRITE_GRAPH_ROWS = blockLayout('WriteGraphRows', {
  /** Homes and replicas. */
  count: 'u32',
  homeCount: 'u32',
  /** Replicas whose nodes come before those of the homes. */
  before: 'u32',
  /** u32 x count: nodes of the homes, then of the replicas, ascending in each. */
  nodes: 'u32',
  /** u32 x (count + 1): where each member's row begins. */
  offsets: 'u32',
  /** u32: members. */
  neighbours: 'u32',
  /** u32: distance words. */
  words: 'u32',
  /** u32: first node of each segment, then the end. */
  starts: 'u32',
  /** A run is longer only when one row is. */
  runBytes: 'u32',
  out: 'u32',
  /** Out: (segment, rows, bytes), u32 x 3, one per row at most. */
  runs: 'u32',
})

/** The rows of a chunk of nodes, to be united and pruned. */
export const MERGE_LINKS = blockLayout('MergeLinks', {
  alpha: 'f64',
  /** As `mergePlaceRows` left them. */
  starts: 'u32',
  places: 'u32',
  /** The chunk: nodes of the segment, `from` to `to - 1`. */
  from: 'u32',
  to: 'u32',
  /** As `mergeMark` and `mergeRank` left them. */
  bits: 'u32',
  ranks: 'u32',
  /** Grid rows of all marked nodes, in order. */
  grid: 'u32',
  /** Their squared norms, i32 or f32. */
  norms: 'u32',
  gridDims: 'u32',
  maxDegree: 'u32',
  /** Most candidates of any node, repeats counted. */
  widest: 'u32',
  /** 40 bytes x widest, 8-byte aligned. */
  scratch: 'u32',
  /** Out: `[count][maxDegree x node]` per node, that of `from` first. */
  links: 'u32',
})

/** The longest rows of an ip build, and the inner products of some rows with them. */
export const LONGEST_LINKS = blockLayout('LongestLinks', {
  /** u32 x count. */
  nodes: 'u32',
  count: 'u32',
  /** Links that each row gets; below maxDegree. */
  perNode: 'u32',
  maxDegree: 'u32',
  /** f32 x rows x count, twice the product where it is above 0, else 0. Overwritten. */
  products: 'u32',
  /** u32 x (3 x perNode + 2), scratch. */
  found: 'u32',
})

/** The members of a shard and their reservoirs: kernel/assembly/pipnn/pipnn-reservoir.ts has the layout of a record. */
export const PIPNN_SHARD = blockLayout('PipnnShard', {
  count: 'u32',
  /** Grid rows of all members. */
  grid: 'u32',
  gridDims: 'u32',
  /** A multiple of 16. */
  rowBytes: 'u32',
  /** Squared norms of all members, i32 or f32. */
  norms: 'u32',
  records: 'u32',
  recordBytes: 'u32',
  /** Candidates of a reservoir; a multiple of 4. */
  capacity: 'u32',
  /** Candidates of a far reservoir; a power of two from 4 on. */
  farCapacity: 'u32',
  /** 16-byte aligned; 8 bytes x (capacity + farCapacity), and 8 bytes x the largest k of `pipnnOffer`. */
  scratch: 'u32',
})

/** The rows of a shard graph while links are added: each sorted by distance word, then neighbour. */
export const PIPNN_ROWS = blockLayout('PipnnRows', {
  count: 'u32',
  /** Links that a row has room for. */
  degree: 'u32',
  /** u32 x count. */
  counts: 'u32',
  /** u32 x count x degree. */
  neighbours: 'u32',
  /** u32 x count x degree. */
  words: 'u32',
})

/** An exact search of f32 rows. */
export const SCAN_NEAREST = blockLayout('ScanNearest', {
  /** f32 x dimensions each, `stride` bytes apart; multiples of 16 are fastest. */
  rows: 'u32',
  stride: 'u32',
  count: 'u32',
  dimensions: 'u32',
  /** 0: squared l2, 1: 1 - dot, 2: -dot. */
  metric: 'u32',
  /** A bit for each row, in u32 words: 1 when the row counts. 0 behind the last row. */
  alive: 'u32',
  /** As `alive`: rows count only when they are in both. 0: `alive` alone. */
  keeps: 'u32',
  /** f32 x dimensions. */
  query: 'u32',
  k: 'u32',
  /** u64 x k, the result. */
  best: 'u32',
  /** u32 x 8, scratch. */
  group: 'u32',
})
