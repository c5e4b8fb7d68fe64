/** The queries that recall is measured with: vectors of the index, or the caller's own. */
import { lowbias32 } from '../../format/ids/lowbias32.js'
import { DimensionMismatchError, InvalidOptionError } from '../../errors.js'
import type { MeasureOptions } from '../../api/measure.js'
import type { Metric, VectorLike } from '../../api/vectors.js'
import { copyQuery } from '../check-search-options.js'
import type { CheckedMeasure } from './measure-options.js'
import type { SearchCore } from '../core/search-core.js'

export interface MeasuredQueries {
  readonly source: 'sampled' | 'given'
  /** Row-major, as searches have them: unit length for cosine. */
  readonly rows: Float32Array
  readonly queryCount: number
  /** Neighbours that count, of each query. */
  readonly neighbours: number
  /** What is asked for: one more where the query itself is in the index. */
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
  const { count, dims, metric } = core
  if (queries !== undefined) {
    const given = queries instanceof Float32Array ? rowsOf(queries, dims) : queries
    if (given.length === 0) throw new InvalidOptionError('queries has no vectors, expected at least one')
    const neighbours = Math.min(k, count)
    return { source: 'given', ...prepared(given, dims, metric), neighbours, k: neighbours }
  }
  const neighbours = Math.min(k, count - 1)
  if (neighbours === 0) {
    throw new InvalidOptionError('the only vector of an index has no neighbours to find; measure with queries of yours')
  }
  const selves = sampleNodes(count, sample, seed)
  const vectors = Array.from(selves, (node) => core.vectorOf(node))
  return { source: 'sampled', ...prepared(vectors, dims, metric), neighbours, k: neighbours + 1, selves }
}

/** One node from each of equal ranges, at a place its hash says: near nodes are alike, so this is spread over all kinds. */
export function sampleNodes(count: number, wanted: number, seed: number): Uint32Array {
  const sampled = Math.min(wanted, count)
  return Uint32Array.from({ length: sampled }, (_, i) => {
    const first = Math.floor((i * count) / sampled)
    const end = Math.floor(((i + 1) * count) / sampled)
    return first + ((lowbias32(lowbias32(seed) ^ i) >>> 0) % (end - first))
  })
}

function prepared(
  vectors: readonly VectorLike[],
  dims: number,
  metric: Metric,
): Pick<MeasuredQueries, 'rows' | 'queryCount'> {
  const rows = new Float32Array(vectors.length * dims)
  for (const [i, vector] of vectors.entries()) copyQuery(vector, i, metric, rows.subarray(i * dims, (i + 1) * dims))
  return { rows, queryCount: vectors.length }
}

function rowsOf(vectors: Float32Array, dims: number): Float32Array[] {
  const count = Math.floor(vectors.length / dims)
  const rest = vectors.length % dims
  if (rest !== 0) throw new DimensionMismatchError({ ordinal: count, expected: dims, got: rest, what: 'query' })
  return Array.from({ length: count }, (_, i) => vectors.subarray(i * dims, (i + 1) * dims))
}
