import { Kernel } from '../../kernel/kernel.js'
import type { Metric, VectorBatch } from '../api/vectors.js'
import { whyInvalid } from '../pipeline/ingest/why-invalid.js'

/** Leaves out the rows that an index cannot take, as a build with `invalid: 'skip'` does. */
export class ValidRows {
  readonly #metric: Metric
  readonly #kernel = Kernel.create()

  constructor({ metric }: { readonly metric: Metric }) {
    this.#metric = metric
  }

  /** The batch itself when all of its rows are valid. */
  of(batch: VectorBatch): VectorBatch {
    const { ids, vectors, dimensions } = batch
    const count = vectors.length / dimensions
    const kept = this.#validOf(batch, count)
    if (kept.length === count) return batch
    const rows = new Float32Array(kept.length * dimensions)
    for (const [to, at] of kept.entries()) {
      rows.set(vectors.subarray(at * dimensions, (at + 1) * dimensions), to * dimensions)
    }
    return { ...(ids !== undefined && { ids: kept.map((at) => ids[at]) }), vectors: rows, dimensions }
  }

  #validOf({ vectors, dimensions }: VectorBatch, count: number): number[] {
    const isCosine = this.#metric === 'cosine'
    const kernel = this.#kernel
    const mark = kernel.mark()
    const at = kernel.alloc(vectors.byteLength)
    const norms = kernel.alloc(8 * count)
    kernel.f32(at, vectors.length).set(vectors)
    kernel.fn.prepareRows(at, count, dimensions, isCosine ? 1 : 0, norms)
    const squares = kernel.f64(norms, count)
    const valid: number[] = []
    for (let row = 0; row < count; row++) if (whyInvalid(squares[row], isCosine) === undefined) valid.push(row)
    kernel.release(mark)
    return valid
  }
}
