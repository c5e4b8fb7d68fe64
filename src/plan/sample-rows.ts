const MIB = 2 ** 20
/** Rows of the sample for leaders, mean and scale. A larger build samples a share of its rows instead. */
const SAMPLE_BASE_ROWS = 4096
const SAMPLE_BASE_BYTES = 16 * MIB
const SAMPLE_MIN_ROWS = 1024
/** Two sampled rows for each leader of a very large build. */
const SAMPLE_SHARE = 1 / 2048

/** Rows sampled of `count` vectors: a constant for builds of millions, a share above that. */
export function sampleRows(count: number, dimensions: number): number {
  const base = Math.max(SAMPLE_MIN_ROWS, Math.min(SAMPLE_BASE_ROWS, Math.floor(SAMPLE_BASE_BYTES / (4 * dimensions))))
  return Math.max(Math.min(count, base), Math.ceil(count * SAMPLE_SHARE))
}
