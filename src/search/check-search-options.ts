import { InvalidOptionError } from '../errors.js'
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
  /** Absent: the default of the index's quantization. */
  readonly rerank: number | undefined
  readonly filter: SearchOptions['filter']
}

/**
 * The options with their defaults. `tunings`: the choices of ef that are stored with the index.
 * @throws InvalidOptionError unless k, ef and rerank are integers of at least 1, and the filter is a function or a
 * NodeSet
 */
export function checkSearchOptions(options: SearchOptions, tunings: readonly Tuning[]): CheckedSearch {
  const { k = DEFAULT_K, ef = defaultEf(tunings, k), rerank, filter } = options
  if (!isCount(k)) checkValue('k', SCHEMAS.k, k)
  if (!isCount(ef)) checkValue('ef', SCHEMAS.ef, ef)
  if (rerank !== undefined && !isCount(rerank)) checkValue('rerank', SCHEMAS.rerank, rerank)
  if (filter !== undefined && typeof filter !== 'function' && !(filter instanceof NodeBits)) {
    throw new InvalidOptionError(
      `filter must be a function of the id or a set from index.select(), got ${typeof filter}`,
    )
  }
  return { k, ef, rerank, filter }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_UINT32
}
