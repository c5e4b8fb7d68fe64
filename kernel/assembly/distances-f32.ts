export function distancesF32(
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
      const panel = panels + ((<usize>(t & ~3) * codeDims) << 2) + ((<usize>(t & 3)) << 2)
      let dot: f32 = 0
      for (let d: u32 = 0; d < codeDims; d++) {
        dot += load<f32>(queries + ((<usize>q * codeDims + d) << 2)) * load<f32>(panel + ((<usize>d) << 4))
      }
      const norms = load<f32>(queryNorms + ((<usize>q) << 2)) + load<f32>(targetNorms + ((<usize>t) << 2))
      store<f32>(out + ((<usize>q * outStride + t) << 2), max<f32>(0, norms - 2 * dot))
    }
  }
}
