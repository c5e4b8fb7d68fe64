// What ingest does to f32 rows: squared norms, and unit length for cosine.
//
// Norms are accumulated in f64 in four sums, by dimension modulo 4, added as (s0 + s2) + (s1 + s3). Products are exact,
// so the relative error is below dimensions * 2^-54. Scaling multiplies in f64 and rounds once to f32.

/** |row|^2 of an f32 row of any length. NaN and infinity propagate. */
@inline
export function squaredNorm(row: usize, dimensions: u32): f64 {
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  let left = dimensions
  for (; left >= 4; left -= 4) {
    const x = v128.load(row)
    const a = f64x2.promote_low_f32x4(x)
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1))
    low = v128.add<f64>(low, v128.mul<f64>(a, a))
    high = v128.add<f64>(high, v128.mul<f64>(b, b))
    row += 16
  }
  let s0 = f64x2.extract_lane(low, 0)
  let s1 = f64x2.extract_lane(low, 1)
  let s2 = f64x2.extract_lane(high, 0)
  if (left > 0) s0 += square(row)
  if (left > 1) s1 += square(row + 4)
  if (left > 2) s2 += square(row + 8)
  return s0 + s2 + (s1 + f64x2.extract_lane(high, 1))
}

@inline
function square(at: usize): f64 {
  const x = <f64>load<f32>(at)
  return x * x
}

@inline
function scaleRow(row: usize, dimensions: u32, factor: f64): void {
  const factors = f64x2.splat(factor)
  let left = dimensions
  for (; left >= 4; left -= 4) {
    const x = v128.load(row)
    const a = v128.mul<f64>(f64x2.promote_low_f32x4(x), factors)
    const b = v128.mul<f64>(f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1)), factors)
    v128.store(row, v128.shuffle<i32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5))
    row += 16
  }
  for (; left > 0; left--) {
    store<f32>(row, <f32>(<f64>load<f32>(row) * factor))
    row += 4
  }
}

export function prepareRows(rows: usize, count: u32, dimensions: u32, normalise: i32, squaredNorms: usize): void {
  const rowBytes = (<usize>dimensions) << 2
  for (let r: u32 = 0; r < count; r++) {
    const squared = squaredNorm(rows, dimensions)
    store<f64>(squaredNorms, squared)
    if (normalise && squared > 0 && squared < Infinity) scaleRow(rows, dimensions, 1 / Math.sqrt(squared))
    rows += rowBytes
    squaredNorms += 8
  }
}
