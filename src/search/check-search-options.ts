import { InvalidOptionError } from '../errors.js'
import type { NodeSet } from '../api/search.js'
import type { GivenId } from '../api/vectors.js'
import { assertOptions, checkValue, unknownOption } from '../options/check-options.js'
import { MAX_UINT32 } from '../options/limits.js'
import { warnOnce } from '../options/renamed-options.js'
import { SEARCH_OPTIONS } from '../options/search-options.js'
import { DEFAULT_K, SHARED_OPTIONS } from '../options/shared-options.js'
import { kindOf } from '../value-kind.js'
import { defaultEf, raisedEfText } from './default-ef.js'
import { NodeBits } from './node-bits.js'
import { RowSet } from './live/row-set.js'
import { isIds, type IdFilter } from './node-filter.js'
import { setOf } from './node-sets.js'
import { tuningsOf, type OpenView } from './open-view.js'

/** A search takes microseconds: the schemas run only for a value that is refused, and make the message. */
const SCHEMAS = {
  k: SHARED_OPTIONS.k,
  ef: SHARED_OPTIONS.ef,
  rerank: SHARED_OPTIONS.rerank,
  score: SEARCH_OPTIONS.score,
}

export interface CheckedSearch {
  readonly k: number
  readonly ef: number
  /** Absent: the default of the index's quantization. */
  readonly rerank: number | undefined
  readonly filter: NodeSet | IdFilter | undefined
  /** How ids are ranked for a query of several vectors; undefined for a query of one. */
  readonly score?: 'maxSim' | undefined
}

/** As programs may give them. */
interface GivenSearch {
  readonly k?: number
  readonly ef?: number
  readonly rerank?: number
  readonly score?: 'maxSim'
  readonly filter?: NodeSet | Iterable<GivenId> | ((id: never) => boolean)
}

/**
 * The options with their defaults; a filter that is ids is looked up.
 * @throws InvalidOptionError unless k, ef and rerank are integers of at least 1, the filter is a function, a NodeSet,
 * or ids, and the score 'maxSim'; InvalidIdError
 */
export function checkSearchOptions(options: GivenSearch, view: OpenView): CheckedSearch {
  assertOptions(options)
  for (const name in options) {
    if (!Object.hasOwn(SEARCH_OPTIONS, name)) throw new InvalidOptionError(unknownOption(name, SEARCH_OPTIONS))
  }
  const { k = DEFAULT_K, ef = defaultEf(tuningsOf(view), k), rerank, filter, score } = options
  if (!isCount(k)) checkValue('k', SCHEMAS.k, k)
  if (!isCount(ef)) checkValue('ef', SCHEMAS.ef, ef)
  if (rerank !== undefined && !isCount(rerank)) checkValue('rerank', SCHEMAS.rerank, rerank)
  if (score !== undefined && score !== 'maxSim') checkValue('score', SCHEMAS.score, score)
  if (options.ef !== undefined && ef < k) warnOnce('ef', raisedEfText(ef, k, k))
  return { k, ef, rerank, filter: checkFilter(filter, view), score }
}

function checkFilter(filter: GivenSearch['filter'], view: OpenView): CheckedSearch['filter'] {
  if (filter === undefined || filter instanceof NodeBits || filter instanceof RowSet) return filter
  if (typeof filter === 'function') return filter as IdFilter
  if (!isIds(filter)) {
    throw new InvalidOptionError(
      `filter must be a function of the id, a Set or an array of ids, or a set from index.select(), got ${kindOf(filter)}`,
    )
  }
  return setOf(view, filter)
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_UINT32
}
