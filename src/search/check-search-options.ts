import { InvalidOptionError } from '../errors.js'
import type { SearchOptions } from '../api/search.js'
import type { Tuning } from '../api/measure.js'
import { defaultEf } from './default-ef.js'
import { NodeBits } from './node-bits.js'

const DEFAULT_K = 10

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
  for (const [name, value] of Object.entries({ k, ef, rerank })) {
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new InvalidOptionError(`${name} must be an integer of at least 1, got ${String(value)} (${typeof value})`)
    }
  }
  if (filter !== undefined && typeof filter !== 'function' && !(filter instanceof NodeBits)) {
    throw new InvalidOptionError(
      `filter must be a function of the id or a set from index.select(), got ${typeof filter}`,
    )
  }
  return { k, ef, rerank, filter }
}
