import { Kernel } from '../../kernel/kernel.js'
import type { Metric, VectorBatch } from '../api/vectors.js'
import { whyInvalid } from '../pipeline/ingest/why-invalid.js'
import { withPrepared } from './with-prepared.js'

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
    const kept = this.#validOf(batch)
    if (kept.length === count) return batch
    const rows = new Float32Array(kept.length * dimensions)
    for (const [to, at] of kept.entries()) {
      rows.set(vectors.subarray(at * dimensions, (at + 1) * dimensions), to * dimensions)
    }
    return { ...(ids !== undefined && { ids: kept.map((at) => ids[at]) }), vectors: rows, dimensions }
  }

  #validOf({ vectors, dimensions }: VectorBatch): number[] {
    const metric = this.#metric
    return withPrepared(this.#kernel, vectors, { dimensions, metric }, (_, squaredNorms) => {
      const valid: number[] = []
      for (const [row, norm] of squaredNorms.entries()) {
        if (whyInvalid(norm, metric === 'cosine') === undefined) valid.push(row)
      }
      return valid
    })
  }
}
