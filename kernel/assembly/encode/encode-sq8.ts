// Scalar quantization, 8 bits: component d is stored as the i8 nearest to (x_d - middle_d) / step_d, so that x_d is
// about middle_d + step_d * code_d. A row is one code per dimension, zeros up to a multiple of 4, and one f32:
// `normFactor` times the squared norm of step * code, which a search adds to its products.
//
// The codebook is f32 x dimensions middles, then f32 x dimensions steps. A component that never varies has the step 0.

/** The offset of a row's f32. */
@inline
export function sq8Tail(dimensions: u32): usize {
  return (<usize>dimensions + 3) & ~3
}

/** Components beyond the range of their codes by more than rounding are clamped to it, and counted. */
export function encodeSq8(rows: usize, count: u32, dimensions: u32, codebook: usize, normFactor: f32, out: usize): u32 {
  const steps = codebook + (<usize>dimensions << 2)
  const tail = sq8Tail(dimensions)
  let clamped: u32 = 0
  for (let r: u32 = 0; r < count; r++) {
    let norm: f32 = 0
    if (tail > dimensions) store<u32>(out + tail - 4, 0)
    for (let d: u32 = 0; d < dimensions; d++) {
      const o = <usize>d << 2
      const step = load<f32>(steps + o)
      const away = load<f32>(rows + o) - load<f32>(codebook + o)
      const scaled = step > 0 ? nearest<f32>(away / step) : away == 0 ? <f32>0 : away > 0 ? <f32>128 : <f32>-128
      if (scaled > 127 || scaled < -127) clamped++
      const code = max<f32>(-127, min<f32>(127, scaled))
      store<i8>(out + d, <i8>code)
      norm += step * code * (step * code)
    }
    store<f32>(out + tail, norm * normFactor)
    rows += <usize>dimensions << 2
    out += tail + 4
  }
  return clamped
}
