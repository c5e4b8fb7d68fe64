import type { Kernel } from '../../../kernel/kernel.js'
import type { Metric } from '../../api/vectors.js'

/**
 * Prepares rows as ingest does, in the memory of a kernel: scaled to unit length for cosine. `use` gets them, and the
 * squared norm of each for `whyInvalid`: views that are valid until it returns.
 */
export function withPrepared<Result>(
  kernel: Kernel,
  vectors: Float32Array,
  { dimensions, metric }: { readonly dimensions: number; readonly metric: Metric },
  use: (rows: Float32Array, squaredNorms: Float64Array) => Result,
): Result {
  const count = vectors.length / dimensions
  const mark = kernel.mark()
  try {
    const rowsAt = kernel.alloc(vectors.byteLength)
    const normsAt = kernel.alloc(8 * count)
    kernel.f32(rowsAt, vectors.length).set(vectors)
    kernel.fn.prepareRows(rowsAt, count, dimensions, metric === 'cosine' ? 1 : 0, normsAt)
    return use(kernel.f32(rowsAt, vectors.length), kernel.f64(normsAt, count))
  } finally {
    kernel.release(mark)
  }
}
