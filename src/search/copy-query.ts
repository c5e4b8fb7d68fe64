/** Query vectors of callers, checked before the kernel sees them. */
import type { Metric, VectorLike } from '../api/vectors.js'
import { DimensionMismatchError, InvalidOptionError, InvalidVectorError } from '../errors.js'
import { isFloat32Array } from '../runtime/realms.js'
import { givenVector } from '../rows/given-vector.js'
import { kindOf } from '../wording/value-kind.js'

/**
 * Copies a query to `out` as float32, at unit length for cosine. `position` names the query in errors.
 * @throws DimensionMismatchError, InvalidVectorError
 */
export function copyQuery(given: VectorLike, position: number, metric: Metric, out: Float32Array): void {
  const query = givenVector(given, out.length)
  if (typeof query === 'string') {
    throw new InvalidVectorError({ ordinal: position, reason: query, what: 'query', invalidOption: false })
  }
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

/**
 * The queries of a batch, one each: views of row-major ones.
 * @throws DimensionMismatchError when the last one is cut short; InvalidOptionError unless they are an array or rows
 */
export function queryRows(queries: readonly VectorLike[] | Float32Array, dimensions: number): readonly VectorLike[] {
  if (!isFloat32Array(queries)) {
    if (Array.isArray(queries)) return queries as readonly VectorLike[]
    throw new InvalidOptionError(
      `queries must be an array of vectors, or rows in one Float32Array, got ${kindOf(queries)}`,
    )
  }
  const count = Math.floor(queries.length / dimensions)
  const rest = queries.length % dimensions
  if (rest !== 0) throw new DimensionMismatchError({ ordinal: count, expected: dimensions, got: rest, what: 'query' })
  return Array.from({ length: count }, (_, i) => queries.subarray(i * dimensions, (i + 1) * dimensions))
}
