import * as v from 'valibot'
import type { SearchOptions } from '../api/search.js'
import { choice, flag, option } from './option-values.js'
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
        type: 'NodeSet | Iterable<GivenId> | ((id: OneId) => boolean)',
        doc:
          'which vectors may be found: a Set or an array of ids, which every search looks up; a set from ' +
          '`index.select`, which was looked up once; or a function of the id, which every search calls for many ids. ' +
          'k vectors are found when the filter keeps k',
      },
    ),
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
