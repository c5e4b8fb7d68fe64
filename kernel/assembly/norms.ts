/** Squared norms of i16 code rows; exact as long as each is below 2^31. */
export function normsI16(rows: usize, count: u32, codeDims: u32, out: usize): void {
  for (let r: u32 = 0; r < count; r++) {
    let sum: i32 = 0
    for (let d: u32 = 0; d < codeDims; d++) {
      const x = <i32>load<i16>(rows + ((<usize>(r * codeDims + d)) << 1))
      sum += x * x
    }
    store<i32>(out + ((<usize>r) << 2), sum)
  }
}

export function normsF32(rows: usize, count: u32, codeDims: u32, out: usize): void {
  for (let r: u32 = 0; r < count; r++) {
    let sum: f32 = 0
    for (let d: u32 = 0; d < codeDims; d++) {
      const x = load<f32>(rows + ((<usize>(r * codeDims + d)) << 2))
      sum += x * x
    }
    store<f32>(out + ((<usize>r) << 2), sum)
  }
}
