// IEEE 754 half precision, a type that WebAssembly lacks. Four halves are widened by moving their bits to their places
// in a float and correcting the exponent by a multiplication. This is exact, also for subnormal halves.

/** f32 of four consecutive halves. */
@inline
export function loadHalves(at: usize): v128 {
  // Sign extension puts the sign into the first bit, and into the next three, which the mask clears.
  const bits = v128.and(v128.shl<i32>(v128.load_ext<i16>(at), 13), i32x4.splat(0x8fffe000))
  return v128.mul<f32>(bits, f32x4.splat(reinterpret<f32>(0x77800000)))
}

@inline
export function fromHalf(bits: u32): f32 {
  const magnitude = reinterpret<f32>((bits & 0x7fff) << 13) * reinterpret<f32>(0x77800000)
  return reinterpret<f32>(reinterpret<u32>(magnitude) | ((bits & 0x8000) << 16))
}

/** The nearest half, ties to even. Saturates at the largest one (65504). */
@inline
function toHalf(x: f32): u32 {
  const bits = reinterpret<u32>(x)
  const sign = (bits >> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  // Below the smallest normal half, adding 0.5 aligns the fraction and rounds it.
  if (magnitude < 0x38800000) return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + 0.5) - 0x3f000000)
  const rounded = magnitude + 0xfff + ((magnitude >> 13) & 1)
  return sign | min<u32>((rounded - 0x38000000) >> 13, 0x7bff)
}

export function encodeF16(rows: usize, count: u32, dimensions: u32, out: usize): u32 {
  let clamped: u32 = 0
  const total = <usize>count * <usize>dimensions
  for (let i: usize = 0; i < total; i++) {
    const x = load<f32>(rows + (i << 2))
    if (abs<f32>(x) >= 65520) clamped++
    store<u16>(out + (i << 1), <u16>toHalf(x))
  }
  return clamped
}
