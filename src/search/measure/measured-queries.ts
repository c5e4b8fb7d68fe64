import { InvalidOptionError } from '../../errors.js'
import type { MeasureOptions } from '../../api/measure.js'
import type { Metric, VectorLike } from '../../api/vectors.js'
import { copyQuery, queryRows } from '../copy-query.js'
import type { CheckedMeasure } from './check-measure-options.js'
import type { SearchCore } from '../core/search-core.js'
import { lowbias32 } from '../../format/ids/lowbias32.js'

/** The queries that recall is measured with: vectors of the index, or the caller's. */
export interface MeasuredQueries {
  readonly source: 'sampled' | 'given'
  /** Row-major; unit length for cosine. */
  readonly rows: Float32Array
  readonly queryCount: number
  /** Neighbours that count for each query. */
  readonly neighbours: number
  /** What is searched for: one more when the query itself is in the index. */
  readonly k: number
  /** The nodes that were sampled. */
  readonly selves?: Uint32Array
}

/** @throws InvalidOptionError, DimensionMismatchError, InvalidVectorError, CorruptIndexError */
export function measuredQueries(
  core: SearchCore,
  { queries }: MeasureOptions,
  { k, sample, seed }: CheckedMeasure,
): MeasuredQueries {
  const { count, dimensions, metric } = core
  if (queries !== undefined) {
    const given = queryRows(queries, dimensions)
    if (given.length === 0) throw new InvalidOptionError('queries has no vectors, expected at least one')
    const neighbours = Math.min(k, count)
    return { source: 'given', ...prepared(given, dimensions, metric), neighbours, k: neighbours }
  }
  const neighbours = Math.min(k, count - 1)
  if (neighbours === 0) {
    throw new InvalidOptionError(
      'the index has one vector, which has no neighbours; measure with queries of your own (queries, --queries)',
    )
  }
  const selves = spreadNodes(count, sample, seed)
  const vectors = Array.from(selves, (node) => core.vectorOf(node))
  return { source: 'sampled', ...prepared(vectors, dimensions, metric), neighbours, k: neighbours + 1, selves }
}

/**
 * One node from each of equal ranges, at a hashed place: near nodes are alike, so the choice covers all kinds of
 * vectors.
 */
export function spreadNodes(count: number, wanted: number, seed: number): Uint32Array {
  const sampled = Math.min(wanted, count)
  return Uint32Array.from({ length: sampled }, (_, i) => {
    const first = Math.floor((i * count) / sampled)
    const end = Math.floor(((i + 1) * count) / sampled)
    return first + ((lowbias32(lowbias32(seed) ^ i) >>> 0) % (end - first))
  })
}

function prepared(
  vectors: readonly VectorLike[],
  dimensions: number,
  metric: Metric,
): Pick<MeasuredQueries, 'rows' | 'queryCount'> {
  const rows = new Float32Array(vectors.length * dimensions)
  for (const [i, vector] of vectors.entries())
    copyQuery(vector, i, metric, rows.subarray(i * dimensions, (i + 1) * dimensions))
  return { rows, queryCount: vectors.length }
}
