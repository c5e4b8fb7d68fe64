import { squaredNorm } from './rows'

// The value before rounding; index `dims` is the added component of `ip`, beyond it is padding.
function centred(row: usize, d: u32, dims: u32, mean: usize, added: f64): f64 {
  const x = d < dims ? <f64>load<f32>(row + ((<usize>d) << 2)) : added
  return x - <f64>load<f32>(mean + ((<usize>d) << 2))
}

export function encodeI16(
  rows: usize,
  count: u32,
  dims: u32,
  mean: usize,
  scale: f64,
  maxSquaredNorm: f64,
  radiusSquared: f64,
  codeDims: u32,
  out: usize,
): u32 {
  let clamped: u32 = 0
  const used = radiusSquared < 0 ? dims : dims + 1
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + ((<usize>r * dims) << 2)
    const code = out + ((<usize>r * codeDims) << 1)
    const added = radiusSquared < 0 ? 0 : Math.sqrt(Math.max(0, radiusSquared - squaredNorm(row, dims)))
    let even: f64 = 0
    let odd: f64 = 0
    for (let d: u32 = 0; d < codeDims; d++) {
      const x = d < used ? nearest<f64>(centred(row, d, dims, mean, added) * scale) : 0
      if (d & 1) odd += x * x
      else even += x * x
      store<i16>(code + ((<usize>d) << 1), <i16>(<i32>max<f64>(-32768, min<f64>(32767, x))))
    }
    const squared = even + odd
    if (!(squared > maxSquaredNorm)) continue
    clamped++
    const shrink = Math.sqrt(maxSquaredNorm / squared)
    for (let d: u32 = 0; d < used; d++) {
      const x = nearest<f64>(centred(row, d, dims, mean, added) * scale) * shrink
      store<i16>(code + ((<usize>d) << 1), <i16>(<i32>x))
    }
  }
  return clamped
}

export function encodeF32(
  rows: usize,
  count: u32,
  dims: u32,
  mean: usize,
  radiusSquared: f64,
  codeDims: u32,
  out: usize,
): void {
  const used = radiusSquared < 0 ? dims : dims + 1
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + ((<usize>r * dims) << 2)
    const code = out + ((<usize>r * codeDims) << 2)
    const added = radiusSquared < 0 ? 0 : Math.sqrt(Math.max(0, radiusSquared - squaredNorm(row, dims)))
    for (let d: u32 = 0; d < codeDims; d++) {
      store<f32>(code + ((<usize>d) << 2), d < used ? <f32>centred(row, d, dims, mean, added) : 0)
    }
  }
}
