/**
 * Compact codes of float rows: kernel/assembly/encode-*.ts, which say what a row and a codebook look like. `rows`:
 * row-major f32, any dims. Sizes of rows and codebooks: src/format/graph/quantized-shape.ts.
 */
export interface EncodeFunctions {
  /** Returns how many components were beyond the largest half, and got it. */
  encodeF16(rows: number, count: number, dims: number, out: number): number
  /** `normFactor`: of the squared norm that ends each row. Returns how many components were clamped to their range. */
  encodeSq8(rows: number, count: number, dims: number, codebook: number, normFactor: number, out: number): number
  /** out: u8 x count x subspaces. scratch: f32 x 256. */
  encodePq(
    rows: number,
    count: number,
    dims: number,
    codebook: number,
    subspaces: number,
    out: number,
    scratch: number,
  ): void
  /**
   * One step of k-means in the dimensions `from` to `to - 1`, which changes the codebook. codes: u8 x count, those of the
   * step before; sums: f64 x (to - from) x 256, sizes: u32 x 256, scratch: f32 x 256, far: f32 x count. Returns how many
   * rows changed their centroid.
   */
  pqStep(
    rows: number,
    count: number,
    dims: number,
    codebook: number,
    from: number,
    to: number,
    codes: number,
    sums: number,
    sizes: number,
    scratch: number,
    far: number,
  ): number
  /** scratch: f32 x dims. */
  encodeBinary(rows: number, count: number, dims: number, codebook: number, out: number, scratch: number): void
}
