import * as v from 'valibot'
import type { SearchOptions, TextSearchOptions } from '../api/search.js'
import { MAX_UINT32 } from './limits.js'
import { choice, flag, integer, name, option, text } from './option-values.js'
import { DEFAULT_K, SHARED_OPTIONS } from './shared-options.js'

export const OPEN_OPTIONS = {
  memory: v.optional(SHARED_OPTIONS.openMemory),
  threads: v.optional(
    option(SHARED_OPTIONS.threads, 'worker threads of searchBatch', {
      doc:
        'worker threads that `searchBatch` uses. They share the index, which is then read whole at once and must fit ' +
        '`memory`. 1 is the calling thread',
    }),
    1,
  ),
  integerIds: v.optional(
    option(choice(['number', 'bigint']), 'integer ids in results: number or bigint', {
      doc:
        "what ids that are integers are in results: 'number', and text beyond 2^53 − 1, where a number is not exact; " +
        "or 'bigint', all of them",
    }),
    'number',
  ),
  preload: v.optional(
    option(flag(), 'read everything at once', {
      doc: 'read everything when the index is opened, instead of each part when a search first needs it',
    }),
    false,
  ),
} as const

export const openOptionsSchema = v.strictObject(OPEN_OPTIONS)

const FILTER_TYPE = 'Filter<Schema> | NodeSet | Iterable<GivenId> | ((id: OneId) => boolean)'
const FIELD_NAMES_TEXT = 'an array of names of fields'

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}

/** A search does not run these schemas, which take longer than a short search: src/search/check-search-options.ts. */
export const SEARCH_OPTIONS = {
  k: v.optional(
    option(SHARED_OPTIONS.k, 'neighbours of each query', { doc: 'number of neighbours wanted' }),
    DEFAULT_K,
  ),
  ef: v.optional(SHARED_OPTIONS.ef),
  rerank: v.optional(SHARED_OPTIONS.rerank),
  filter: v.optional(
    option(
      v.custom<NonNullable<SearchOptions['filter']>>(() => true, 'a filter'),
      'which vectors may be found',
      {
        noFlag: true,
        fallback: 'none',
        type: FILTER_TYPE,
        doc:
          "which vectors may be found: an object of conditions on fields, `{ category: 'news', price: { $lt: 20 } }`; a " +
          'Set or an array of ids, which every search looks up; a set from `index.select`, which was looked up once; or ' +
          'a function of the id, which every search calls for many ids. k vectors are found when the filter keeps k',
      },
    ),
  ),
  select: v.optional(
    option(v.custom<NonNullable<SearchOptions['select']>>(isNames, FIELD_NAMES_TEXT), 'fields that hits have', {
      noFlag: true,
      fallback: 'none',
      type: 'readonly FieldName<Schema>[]',
      doc: 'names of fields that hits bring along, in `fields`',
    }),
  ),
  text: v.optional(
    option(text(), 'words to find as well', {
      noFlag: true,
      fallback: 'none',
      doc:
        'words to find in fields of type text as well: hits are then those of the vector and those of the words, united ' +
        'by their ranks. `ef`, at least k, is how many hits of each are united',
    }),
  ),
  textFields: v.optional(
    option(
      v.custom<NonNullable<SearchOptions['textFields']>>(isNames, FIELD_NAMES_TEXT),
      'fields that words are looked for in',
      {
        noFlag: true,
        fallback: 'all fields of type text',
        type: 'readonly TextFieldName<Schema>[]',
        doc: 'with `text`: names of the fields that words are looked for in',
      },
    ),
  ),
  fusion: v.optional(
    option(choice(['rrf']), 'how hits of words and of the vector are united', {
      noFlag: true,
      fallback: "'rrf', with `text`",
      doc:
        "with `text`, how both lists of hits become one: 'rrf', reciprocal rank fusion, sums 1 / (60 + rank) of both " +
        'lists. Hits have it as their `score`, the highest first',
    }),
  ),
  score: v.optional(
    option(choice(['maxSim']), 'how ids are ranked for a query of several vectors', {
      noFlag: true,
      fallback: 'none',
      doc:
        "'maxSim': the query is several vectors, and an id is ranked by the sum over them of the distance to its nearest " +
        'vector. `ef` is then also how many ids each of them proposes',
    }),
  ),
} as const

/** Of a search by words alone. */
export const TEXT_SEARCH_OPTIONS = {
  k: SEARCH_OPTIONS.k,
  filter: SEARCH_OPTIONS.filter,
  select: SEARCH_OPTIONS.select,
  textFields: v.optional(
    option(
      v.custom<NonNullable<TextSearchOptions['textFields']>>(isNames, FIELD_NAMES_TEXT),
      'fields that words are looked for in',
      {
        noFlag: true,
        fallback: 'all fields of type text',
        type: 'readonly TextFieldName<Schema>[]',
        doc: 'names of the fields that words are looked for in',
      },
    ),
  ),
} as const

export const FACET_OPTIONS = {
  field: option(name('the name of a field'), 'the field whose values are counted', {
    noFlag: true,
    type: 'Name',
    doc: 'the field whose values are counted: any but text, stored and geo',
  }),
  filter: v.optional(
    option(
      v.custom<NonNullable<SearchOptions['filter']>>(() => true, 'a filter'),
      'which vectors are counted',
      { noFlag: true, fallback: 'none', type: FILTER_TYPE, doc: 'which vectors are counted: a filter as in a search' },
    ),
  ),
  limit: v.optional(
    option(integer(1, MAX_UINT32), 'values at most', {
      noFlag: true,
      fallback: 'all values',
      doc: 'values at most: those that most vectors have',
    }),
  ),
} as const
