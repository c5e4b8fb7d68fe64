/** Query vectors of callers, checked before the kernel sees them. */
import type { Metric, VectorLike } from '../api/vectors.js'
import { DimensionMismatchError, InvalidVectorError } from '../errors.js'

/**
 * Copies `query` to `out` as float32, at unit length for cosine. `position` names the query in errors.
 * @throws DimensionMismatchError, InvalidVectorError
 */
export function copyQuery(query: VectorLike, position: number, metric: Metric, out: Float32Array): void {
  if (query.length !== out.length) {
    throw new DimensionMismatchError({ ordinal: position, expected: out.length, got: query.length, what: 'query' })
  }
  out.set(query)
  let squaredNorm = 0
  for (let i = 0; i < out.length; i++) {
    if (!Number.isFinite(out[i])) {
      const reason = `has ${String(query[i])} at position ${i}, which is not a finite float32`
      throw new InvalidVectorError({ ordinal: position, reason, what: 'query', invalidOption: false })
    }
    squaredNorm += out[i] * out[i]
  }
  if (metric !== 'cosine') return
  if (squaredNorm === 0) {
    const reason = 'is all zeros, which has no direction: cosine cannot compare it'
    throw new InvalidVectorError({ ordinal: position, reason, what: 'query', invalidOption: false })
  }
  const scale = 1 / Math.sqrt(squaredNorm)
  for (let i = 0; i < out.length; i++) out[i] *= scale
}

/** Views of row-major queries, one each. @throws DimensionMismatchError when the last one is cut short */
export function queryRows(queries: Float32Array, dimensions: number): Float32Array[] {
  const count = Math.floor(queries.length / dimensions)
  const rest = queries.length % dimensions
  if (rest !== 0) throw new DimensionMismatchError({ ordinal: count, expected: dimensions, got: rest, what: 'query' })
  return Array.from({ length: count }, (_, i) => queries.subarray(i * dimensions, (i + 1) * dimensions))
}
