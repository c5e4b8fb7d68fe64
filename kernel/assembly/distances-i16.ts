export function distancesI16(
  queries: usize,
  queryNorms: usize,
  queryCount: u32,
  panels: usize,
  targetNorms: usize,
  targetCount: u32,
  codeDims: u32,
  out: usize,
  outStride: u32,
): void {
  for (let q: u32 = 0; q < queryCount; q++) {
    for (let t: u32 = 0; t < targetCount; t++) {
      const panel = panels + ((<usize>(t & ~3) * codeDims) << 1) + ((<usize>(t & 3)) << 2)
      let dot: i32 = 0
      for (let d: u32 = 0; d < codeDims; d++) {
        const x = <i32>load<i16>(queries + ((<usize>q * codeDims + d) << 1))
        dot += x * <i32>load<i16>(panel + ((<usize>(d >> 1)) << 4) + ((<usize>(d & 1)) << 1))
      }
      const norms = load<i32>(queryNorms + ((<usize>q) << 2)) + load<i32>(targetNorms + ((<usize>t) << 2))
      store<i32>(out + ((<usize>q * outStride + t) << 2), norms - 2 * dot)
    }
  }
}
