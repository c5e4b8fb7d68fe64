// f32 rows to the grid: centred, for i16 also scaled and rounded, zero padded to gridDims.
//
//     float row  | x0 x1 .. x(dimensions-1) |
//     grid row   | y0 y1 .. y(dimensions-1) | added, only for ip | 0 .. 0 |     gridDims components, y = x - mean
//
// i16: (x - mean) * scale is computed in f64 and rounded to nearest, halves to even. A grid row whose squared norm
// exceeds the limit is multiplied by sqrt(limit / norm) and cut towards zero, so that it cannot exceed the limit again.
// f32: x - mean is rounded once. The added component is sqrt(max(0, radiusSquared - |x|^2)) in f64. A longer row than the
// radius keeps its direction, gets the length of the radius, and 0 as its added component.
import { squaredNorm } from './rows'

@inline
function addedComponent(squared: f64, radiusSquared: f64): f64 {
  return Math.sqrt(Math.max(0, radiusSquared - squared))
}

/** What a row is multiplied with, so that it is no longer than the radius. */
@inline
function shortening(squared: f64, radiusSquared: f64): f64 {
  return squared > radiusSquared ? Math.sqrt(radiusSquared / squared) : 1
}

// Two of four components, multiplied by a factor (1 changes nothing), centred and rounded, as f64x2.
@inline
function roundedPair(x: v128, factor: v128, mean: v128, scale: v128): v128 {
  const shortened = v128.mul<f64>(f64x2.promote_low_f32x4(x), factor)
  const centred = v128.sub<f64>(shortened, f64x2.promote_low_f32x4(mean))
  return f64x2.nearest(v128.mul<f64>(centred, scale))
}

@inline
function highHalf(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 3, 0, 1)
}

// Four f64 to four i32. Values out of range saturate; NaN becomes 0.
@inline
function toI32(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(i32x4.trunc_sat_f64x2_s_zero(low), i32x4.trunc_sat_f64x2_s_zero(high), 0, 2)
}

@inline
function storeI16(at: usize, value: f64): void {
  const word = <i32>value
  store<i16>(at, <i16>(word > 32767 ? 32767 : word < -32768 ? -32768 : word))
}

/** Fields: GRID_ENCODER in kernel/blocks.ts. */
@unmanaged
export class GridEncoder {
  scale!: f64
  maxSquaredNorm!: f64
  radiusSquared!: f64
  mean!: usize
  dimensions!: u32
  gridDims!: u32
}

/** Writes a row again, each component multiplied by `shrink` and cut towards zero. */
@inline
function shrinkRow(encoder: GridEncoder, row: usize, factor: f64, added: f64, used: u32, shrink: f64, out: usize): void {
  const mean = encoder.mean
  const scale = encoder.scale
  const dimensions = encoder.dimensions
  for (let d: u32 = 0; d < used; d++) {
    const x = d < dimensions ? <f64>load<f32>(row + ((<usize>d) << 2)) * factor : added
    const rounded = nearest<f64>((x - <f64>load<f32>(mean + ((<usize>d) << 2))) * scale)
    storeI16(out + ((<usize>d) << 1), rounded * shrink)
  }
}

export function encodeI16(encoder: GridEncoder, rows: usize, count: u32, out: usize): u32 {
  const dimensions = encoder.dimensions
  const mean = encoder.mean
  const scale = encoder.scale
  const maxSquaredNorm = encoder.maxSquaredNorm
  const radiusSquared = encoder.radiusSquared
  const gridDims = encoder.gridDims
  const hasAdded = radiusSquared >= 0
  const used = hasAdded ? dimensions + 1 : dimensions
  const eights = dimensions & ~7
  const scales = f64x2.splat(scale)
  let clamped: u32 = 0
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + ((<usize>r * dimensions) << 2)
    const to = out + ((<usize>r * gridDims) << 1)
    const length = hasAdded ? squaredNorm(row, dimensions) : 0
    const added = hasAdded ? addedComponent(length, radiusSquared) : 0
    const factor = hasAdded ? shortening(length, radiusSquared) : 1
    const factors = f64x2.splat(factor)
    // Sums of squares of integers: exact, in any order, up to 2^53.
    let sum0 = f64x2.splat(0)
    let sum1 = f64x2.splat(0)
    for (let d: u32 = 0; d < eights; d += 8) {
      const at = (<usize>d) << 2
      const x0 = v128.load(row + at)
      const x1 = v128.load(row + at, 16)
      const m0 = v128.load(mean + at)
      const m1 = v128.load(mean + at, 16)
      const a = roundedPair(x0, factors, m0, scales)
      const b = roundedPair(highHalf(x0), factors, highHalf(m0), scales)
      const c = roundedPair(x1, factors, m1, scales)
      const e = roundedPair(highHalf(x1), factors, highHalf(m1), scales)
      sum0 = v128.add<f64>(sum0, v128.mul<f64>(a, a))
      sum1 = v128.add<f64>(sum1, v128.mul<f64>(b, b))
      sum0 = v128.add<f64>(sum0, v128.mul<f64>(c, c))
      sum1 = v128.add<f64>(sum1, v128.mul<f64>(e, e))
      v128.store(to + ((<usize>d) << 1), i16x8.narrow_i32x4_s(toI32(a, b), toI32(c, e)))
    }
    const sums = v128.add<f64>(sum0, sum1)
    let squared = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
    for (let d = eights; d < gridDims; d++) {
      let rounded: f64 = 0
      if (d < used) {
        const x = d < dimensions ? <f64>load<f32>(row + ((<usize>d) << 2)) * factor : added
        rounded = nearest<f64>((x - <f64>load<f32>(mean + ((<usize>d) << 2))) * scale)
      }
      squared += rounded * rounded
      storeI16(to + ((<usize>d) << 1), rounded)
    }
    if (!(squared > maxSquaredNorm)) continue
    clamped++
    shrinkRow(encoder, row, factor, added, used, Math.sqrt(maxSquaredNorm / squared), to)
  }
  return clamped
}

export function encodeF32(encoder: GridEncoder, rows: usize, count: u32, out: usize): void {
  const dimensions = encoder.dimensions
  const mean = encoder.mean
  const radiusSquared = encoder.radiusSquared
  const gridDims = encoder.gridDims
  const hasAdded = radiusSquared >= 0
  const fours = dimensions & ~3
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + ((<usize>r * dimensions) << 2)
    const to = out + ((<usize>r * gridDims) << 2)
    const length = hasAdded ? squaredNorm(row, dimensions) : 0
    const factor = hasAdded ? shortening(length, radiusSquared) : 1
    if (factor === 1) {
      for (let d: u32 = 0; d < fours; d += 4) {
        const at = (<usize>d) << 2
        v128.store(to + at, v128.sub<f32>(v128.load(row + at), v128.load(mean + at)))
      }
    }
    for (let d: u32 = factor === 1 ? fours : 0; d < gridDims; d++) {
      const at = (<usize>d) << 2
      const x = d < dimensions ? <f64>load<f32>(row + at) * factor - <f64>load<f32>(mean + at) : 0
      store<f32>(to + at, <f32>x)
    }
    if (!hasAdded) continue
    const at = (<usize>dimensions) << 2
    store<f32>(to + at, <f32>(addedComponent(length, radiusSquared) - <f64>load<f32>(mean + at)))
  }
}
