/** What callers may ask: a query vector and the numbers that go with it, checked before the kernel sees them. */
import { DimensionMismatchError, InvalidOptionError, InvalidVectorError } from '../errors.js'
import type { Metric, VectorLike } from '../api/vectors.js'
import type { SearchOptions } from '../api/search.js'
import type { Tuning } from '../api/measure.js'
import { checkValue } from '../options/check-options.js'
import { MAX_UINT32 } from '../options/limits.js'
import { DEFAULT_K, SHARED_OPTIONS } from '../options/shared-options.js'
import { defaultEf } from './default-ef.js'
import { NodeBits } from './node-bits.js'

/** A search takes microseconds: the schemas run only for a value that is refused, and make the message. */
const SCHEMAS = { k: SHARED_OPTIONS.k, ef: SHARED_OPTIONS.ef, rerank: SHARED_OPTIONS.rerank }

export interface CheckedSearch {
  readonly k: number
  readonly ef: number
  /** Absent: as many as the quantization asks for. */
  readonly rerank: number | undefined
  readonly filter: SearchOptions['filter']
}

/**
 * The options with their defaults: `tunings` are the choices of ef that are stored with the index.
 * @throws InvalidOptionError unless k, ef and rerank are integers of at least 1, and the filter is a function or a NodeSet
 */
export function checkSearchOptions(options: SearchOptions, tunings: readonly Tuning[]): CheckedSearch {
  const { k = DEFAULT_K, ef = defaultEf(tunings, k), rerank, filter } = options
  if (!isCount(k)) checkValue('k', SCHEMAS.k, k)
  if (!isCount(ef)) checkValue('ef', SCHEMAS.ef, ef)
  if (rerank !== undefined && !isCount(rerank)) checkValue('rerank', SCHEMAS.rerank, rerank)
  if (filter !== undefined && typeof filter !== 'function' && !(filter instanceof NodeBits)) {
    throw new InvalidOptionError(
      `filter must be a function of the id, or what index.select() gave, got ${typeof filter}`,
    )
  }
  return { k, ef, rerank, filter }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_UINT32
}

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
      const reason = `has ${String(query[i])} at position ${i}, which is no finite float32`
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
