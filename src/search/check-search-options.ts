import type { GenericSchema } from 'valibot'
import { InvalidOptionError } from '../errors.js'
import type { NodeSet } from '../api/search.js'
import { assertOptions, checkValue, unknownOption } from '../options/check-options.js'
import { MAX_UINT32 } from '../options/limits.js'
import { warnOnce } from '../options/renamed-options.js'
import { FACET_OPTIONS, SEARCH_OPTIONS, TEXT_SEARCH_OPTIONS } from '../options/search-options.js'
import { DEFAULT_K, SHARED_OPTIONS } from '../options/shared-options.js'
import { isThenable, kindOf, letGo } from '../wording/value-kind.js'
import { defaultEf, raisedEfText } from './default-ef.js'
import { assertHasFields, FieldFilter } from './filter/field-filter.js'
import { NodeBits } from './filter/node-bits.js'
import { RowSet } from './live/row-set.js'
import { isIds, type IdFilter } from './filter/node-filter.js'
import { setOf } from './filter/node-sets.js'
import { fieldsOf, tuningsOf, type OpenView } from './view/open-view.js'
import { fieldNamed, selectedFields, textFields } from './select-fields.js'

/** A search takes microseconds: the schemas run only for a value that is refused, and make the message. */
const SCHEMAS = {
  k: SHARED_OPTIONS.k,
  ef: SHARED_OPTIONS.ef,
  rerank: SHARED_OPTIONS.rerank,
  score: SEARCH_OPTIONS.score,
  text: SEARCH_OPTIONS.text,
  fusion: SEARCH_OPTIONS.fusion,
  limit: FACET_OPTIONS.limit,
}

/** Which vectors may be found, as it is checked. */
export type CheckedFilter = NodeSet | IdFilter | FieldFilter

/** Words to find, and the positions of the fields that they are looked for in. */
export interface CheckedWords {
  readonly text: string
  readonly fields: readonly number[]
}

export interface CheckedSearch {
  readonly k: number
  readonly ef: number
  /** Absent: the default of the index's quantization. */
  readonly rerank: number | undefined
  readonly filter: CheckedFilter | undefined
  /** Positions of the fields that hits bring along; undefined: none. */
  readonly select?: ReadonlySet<number> | undefined
  /** Words that are searched as well as the vector. */
  readonly words?: CheckedWords | undefined
  /** How ids are ranked for a query of several vectors; undefined for a query of one. */
  readonly score?: 'maxSim' | undefined
}

/** As programs may give them. */
interface GivenSearch {
  readonly k?: number
  readonly ef?: number
  readonly rerank?: number
  readonly score?: 'maxSim'
  readonly filter?: object | ((id: never) => boolean)
  readonly select?: readonly string[]
  readonly text?: string
  readonly textFields?: readonly string[]
  readonly fusion?: 'rrf'
}

/**
 * The options with their defaults; a filter that is ids is looked up, one that is conditions on fields is parsed.
 * @throws InvalidOptionError unless k, ef and rerank are integers of at least 1, the filter is a function, a NodeSet,
 * ids, or an object of conditions, and the score 'maxSim'; for fields that the index has not; InvalidIdError
 */
export function checkSearchOptions(options: GivenSearch, view: OpenView): CheckedSearch {
  assertNames(options, SEARCH_OPTIONS)
  const { k = DEFAULT_K, ef = defaultEf(tuningsOf(view), k), rerank, filter, score } = options
  if (!isCount(k)) checkValue('k', SCHEMAS.k, k)
  if (!isCount(ef)) checkValue('ef', SCHEMAS.ef, ef)
  if (rerank !== undefined && !isCount(rerank)) checkValue('rerank', SCHEMAS.rerank, rerank)
  if (score !== undefined && score !== 'maxSim') checkValue('score', SCHEMAS.score, score)
  if (options.ef !== undefined && ef < k) warnOnce('ef', raisedEfText(ef, k, k))
  const select = options.select && selectedFields(fieldsOf(view), options.select)
  return { k, ef, rerank, filter: checkFilter(filter, view), select, words: checkWords(options, view), score }
}

/** A search by words alone. */
export interface CheckedTextSearch extends CheckedWords {
  readonly k: number
  readonly filter: CheckedFilter | undefined
  readonly select: ReadonlySet<number> | undefined
}

/** @throws InvalidOptionError, InvalidIdError */
export function checkTextSearch(text: unknown, options: GivenSearch, view: OpenView): CheckedTextSearch {
  assertNames(options, TEXT_SEARCH_OPTIONS)
  const { k = DEFAULT_K, filter } = options
  if (!isCount(k)) checkValue('k', SCHEMAS.k, k)
  const select = options.select && selectedFields(fieldsOf(view), options.select)
  return { k, filter: checkFilter(filter, view), select, ...wordsOf(text, options.textFields, view) }
}

/** What `facets` counts: the position of a field, which vectors, and how many values it gives. */
export interface CheckedFacets {
  readonly field: number
  readonly filter: CheckedFilter | undefined
  readonly limit: number | undefined
}

interface GivenFacets {
  readonly field?: string
  readonly filter?: GivenSearch['filter']
  readonly limit?: number
}

/** @throws InvalidOptionError, InvalidIdError */
export function checkFacets(options: GivenFacets, view: OpenView): CheckedFacets {
  assertNames(options, FACET_OPTIONS)
  const fields = assertHasFields(fieldsOf(view), '`facets`')
  const field = fieldNamed(fields, options.field, 'field')
  const { name, type } = fields[field]
  if (type === 'text' || type === 'stored' || type === 'geo') {
    throw new InvalidOptionError(`field: values of type ${type} are not counted, and ${name} is of that type`)
  }
  const { limit } = options
  if (limit !== undefined && !isCount(limit)) checkValue('limit', SCHEMAS.limit, limit)
  return { field, filter: checkFilter(options.filter, view), limit }
}

function assertNames(options: object, known: Readonly<Record<string, GenericSchema>>): void {
  assertOptions(options)
  for (const name in options) {
    if (!Object.hasOwn(known, name)) throw new InvalidOptionError(unknownOption(name, known))
  }
}

function checkFilter(filter: GivenSearch['filter'], view: OpenView): CheckedFilter | undefined {
  if (filter === undefined || filter instanceof NodeBits || filter instanceof RowSet) return filter
  if (typeof filter === 'function') return filter as IdFilter
  if (isIds(filter)) return setOf(view, filter)
  if (typeof filter === 'object' && (filter as unknown) !== null && !isThenable(filter)) {
    return FieldFilter.of(fieldsOf(view), filter)
  }
  const fix = isThenable(filter) ? ': await it' : ''
  if (isThenable(filter)) letGo(filter)
  throw new InvalidOptionError(
    `filter must be an object of conditions on fields, a function of the id, a Set or an array of ids, or a set from index.select(), got ${kindOf(filter)}${fix}`,
  )
}

function checkWords(options: GivenSearch, view: OpenView): CheckedWords | undefined {
  const { text, fusion, score, textFields: names } = options
  if (fusion !== undefined && fusion !== 'rrf') checkValue('fusion', SCHEMAS.fusion, fusion)
  if (text === undefined) {
    const unused = fusion === undefined ? (names === undefined ? undefined : 'textFields') : 'fusion'
    if (unused === undefined) return undefined
    throw new InvalidOptionError(`${unused} says how words are searched, and there are none: give \`text\` too`)
  }
  if (score !== undefined) {
    throw new InvalidOptionError("text is united with a query of one vector: leave out `score: 'maxSim'`, or `text`")
  }
  return wordsOf(text, names, view)
}

function wordsOf(text: unknown, names: readonly string[] | undefined, view: OpenView): CheckedWords {
  if (typeof text !== 'string') checkValue('text', SCHEMAS.text, text)
  return { text: text as string, fields: textFields(fieldsOf(view), names) }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_UINT32
}
