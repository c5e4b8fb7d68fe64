import type { CheckFunctions } from './check-functions.js'
import type { EncodeFunctions } from './encode-functions.js'
import type { MergeFunctions } from './merge-functions.js'
import type { PipnnFunctions } from './pipnn-functions.js'
import type { RecordFunctions } from './record-functions.js'
import type { SearchFunctions } from './search-functions.js'

/**
 * The raw exports of kernel.wasm. Pointers are byte addresses in the kernel's memory, below 2^32; counts are
 * unsigned. Nothing is checked and nothing is allocated: the caller lays out the memory.
 *
 * Rows are row-major and 16-byte aligned for the functions on codes (`gridDims` is a multiple of 8); the functions on
 * `dims` take any length. Distances are squared l2, never negative: their u32 bit patterns order as the values do.
 */
export interface KernelFunctions
  extends SearchFunctions, CheckFunctions, EncodeFunctions, PipnnFunctions, MergeFunctions, RecordFunctions {
  heapBase(): number

  /** out: i32 x count. Exact below 2^31. */
  normsI16(rows: number, count: number, gridDims: number, out: number): void
  /** out: f32 x count. */
  normsF32(rows: number, count: number, gridDims: number, out: number): void

  /** out: ceil(count / 4) panels of 4 points, [pair of dimensions][point][2], the last one padded with zeros. */
  packI16(rows: number, count: number, gridDims: number, out: number): void
  /** out: ceil(count / 4) panels of 4 points, [dimension][point], the last one padded with zeros. */
  packF32(rows: number, count: number, gridDims: number, out: number): void

  /** out: i32, row q of query q at `q * outStride` elements, `targetCount` of them written. */
  distancesI16(
    queries: number,
    queryNorms: number,
    queryCount: number,
    panels: number,
    targetNorms: number,
    targetCount: number,
    gridDims: number,
    out: number,
    outStride: number,
  ): void
  /** As distancesI16 in f32, clamped at 0. A pair's result does not depend on its place in the matrix. */
  distancesF32(
    queries: number,
    queryNorms: number,
    queryCount: number,
    panels: number,
    targetNorms: number,
    targetCount: number,
    gridDims: number,
    out: number,
    outStride: number,
  ): void

  l2I16(a: number, b: number, gridDims: number): number
  /** Any dims. */
  l2F32(a: number, b: number, dims: number): number
  /** Any dims. */
  dotF32(a: number, b: number, dims: number): number

  /** rowPtrs: u32 addresses x count; out: i32 x count. */
  gatherL2I16(query: number, rowPtrs: number, count: number, gridDims: number, out: number): void
  /** rowPtrs: u32 addresses x count; out: f32 x count. */
  gatherL2F32(query: number, rowPtrs: number, count: number, gridDims: number, out: number): void

  /** The k smallest, ascending, ties by lower index; outIndex: u32 x k, outDistance: i32 x k. Returns min(k, count). */
  nearestI32(row: number, count: number, k: number, outIndex: number, outDistance: number): number
  /** As nearestI32 on f32. */
  nearestF32(row: number, count: number, k: number, outIndex: number, outDistance: number): number

  /**
   * Candidates come nearest first, with their distances to the member. One is kept unless an already kept q has
   * `alpha * d(c, q) < d(c, member)`. kept: u32 x 2 x count, candidate indexes; what follows the result is scratch.
   * Returns how many.
   */
  pruneI16(
    rowPtrs: number,
    distances: number,
    count: number,
    gridDims: number,
    maxDegree: number,
    alpha: number,
    kept: number,
  ): number
  /** As pruneI16 on f32 rows and distances. */
  pruneF32(
    rowPtrs: number,
    distances: number,
    count: number,
    gridDims: number,
    maxDegree: number,
    alpha: number,
    kept: number,
  ): number

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
   * squaredNorms: f64 x count, of the rows as they came (NaN and infinity propagate). When `normalise` is not 0, rows
   * are scaled in place to unit length; a row whose norm is 0 or not finite stays as it is.
   */
  prepareRows(rows: number, count: number, dims: number, normalise: number, squaredNorms: number): void

  /**
   * out: i16 x count x gridDims, `round((x - mean) * scale)`, halves to even, zero padded. mean: f32 x gridDims. With
   * `radiusSquared >= 0` the component sqrt(max(0, radiusSquared - |x|^2)) is added at index dims before centring. A
   * row whose code's squared norm exceeds maxSquaredNorm is scaled down to it. Returns how many were.
   */
  encodeI16(
    rows: number,
    count: number,
    dims: number,
    mean: number,
    scale: number,
    maxSquaredNorm: number,
    radiusSquared: number,
    gridDims: number,
    out: number,
  ): number
  /** out: f32 x count x gridDims, `x - mean`, zero padded; the added component as in encodeI16. */
  encodeF32(
    rows: number,
    count: number,
    dims: number,
    mean: number,
    radiusSquared: number,
    gridDims: number,
    out: number,
  ): void
}
