import { gridDimensions } from '../plan/shard-geometry.js'
import type { Metric } from '../api/vectors.js'

/** Largest squared norm of a code: then every squared distance, at most four times as large, fits in an i32. */
export const MAX_GRID_SQUARED_NORM = 5e8
/** Aim a little lower, so that rounding alone never clamps a sampled vector. */
const AIMED_SQUARED_NORM = 4.9e8
/** Below this median norm in code units the integer grid is too coarse for the bulk: use the f32 kernels. */
const MIN_MEDIAN_CODE_NORM = 1000

/** How vectors come onto the integer grid. Plain data: it travels in task descriptors. */
export interface GridSpec {
  readonly kind: 'i16' | 'f32'
  readonly dimensions: number
  readonly gridDims: number
  /** Sample mean, gridDims long, zero in the padding. */
  readonly mean: Float32Array
  readonly scale: number
  /** R² for ip's added component √(R²−|x|²); −1 for the other metrics. Longer rows are shortened to R on the grid. */
  readonly radiusSquared: number
}

export function gridRowBytes(spec: GridSpec): number {
  return spec.gridDims * (spec.kind === 'i16' ? 2 : 4)
}

/** Of the lengths of ip's rows: with the longest as R, a few long rows would push all others to one pole of the sphere. */
const RADIUS_PERCENTILE = 0.99

/**
 * Mean and scale from the sample (`count` rows of `dimensions`), and i16 or f32 codes.
 * `maxSquaredNorm` is the largest squared norm of the whole stream; only ip uses it.
 */
export function makeGridSpec(
  metric: Metric,
  dimensions: number,
  sample: { rows: Float32Array; count: number },
  maxSquaredNorm: number,
): GridSpec {
  const { rows, count } = sample
  const gridDims = gridDimensions(dimensions, metric)
  const radiusSquared = metric === 'ip' ? radiusSquaredOf(sample, dimensions, maxSquaredNorm) : -1
  const factors = Float64Array.from({ length: count }, (_, row) =>
    metric === 'ip' ? shortening(squaredNormOf(rows, row, dimensions), radiusSquared) : 1,
  )
  const sums = new Float64Array(gridDims)
  for (let row = 0; row < count; row++) {
    for (let d = 0; d < dimensions; d++) sums[d] += factors[row] * rows[row * dimensions + d]
    if (metric === 'ip') sums[dimensions] += addedComponent(squaredNormOf(rows, row, dimensions), radiusSquared)
  }
  const mean = Float32Array.from(sums, (sum) => sum / count)

  const norms = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    let squared = 0
    for (let d = 0; d < dimensions; d++) squared += (factors[row] * rows[row * dimensions + d] - mean[d]) ** 2
    if (metric === 'ip') {
      squared += (addedComponent(squaredNormOf(rows, row, dimensions), radiusSquared) - mean[dimensions]) ** 2
    }
    norms[row] = Math.sqrt(squared)
  }
  norms.sort()
  const largest = norms[count - 1]
  const median = norms[count >> 1]
  // All sampled vectors equal the mean: any scale serves.
  const scale = largest > 0 ? Math.sqrt(AIMED_SQUARED_NORM) / largest : 1
  const coarse = largest > 0 && median * scale < MIN_MEDIAN_CODE_NORM
  const usable = Number.isFinite(scale) && !coarse
  return { kind: usable ? 'i16' : 'f32', dimensions, gridDims, mean, scale: usable ? scale : 1, radiusSquared }
}

function radiusSquaredOf(
  { rows, count }: { rows: Float32Array; count: number },
  dimensions: number,
  maxSquaredNorm: number,
): number {
  if (count === 0) return maxSquaredNorm
  const squares = Float64Array.from({ length: count }, (_, row) => squaredNormOf(rows, row, dimensions)).sort()
  const squared = squares[Math.ceil(RADIUS_PERCENTILE * count) - 1]
  return squared > 0 ? squared : maxSquaredNorm
}

function squaredNormOf(rows: Float32Array, row: number, dimensions: number): number {
  let squared = 0
  for (let d = row * dimensions; d < (row + 1) * dimensions; d++) squared += rows[d] ** 2
  return squared
}

function addedComponent(squared: number, radiusSquared: number): number {
  return Math.sqrt(Math.max(0, radiusSquared - squared))
}

function shortening(squared: number, radiusSquared: number): number {
  return squared > radiusSquared ? Math.sqrt(radiusSquared / squared) : 1
}
