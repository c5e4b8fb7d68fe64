/** Many queries of one generation: on the calling thread, or on the threads of the index. */
import { setImmediate } from 'node:timers/promises'
import type { SearchHit } from '../../api/search.js'
import type { GivenId, VectorLike } from '../../api/vectors.js'
import { baseAlone } from '../view/base-alone.js'
import type { CheckedSearch } from '../check-search-options.js'
import { copyQuery, queryRows } from '../copy-query.js'
import type { OpenView } from '../view/open-view.js'
import { hitsOf, idHitsOf } from '../search-one.js'
import { searchView } from '../view/search-view.js'
import { idsOnThreads, type WithThreads } from './ids-on-threads.js'

/** After this long, a batch lets other work of the calling thread run. */
const SLICE_MS = 10
/**
 * Queries that go to the threads at a time: their copies and results are all that a large batch holds besides its hits.
 */
const THREADS_CHUNK = 4096

/**
 * One list of hits per query, in order. `live` gives the view that is open, between pieces of work, or throws to end the
 * batch. Changes that come meanwhile count for the queries after them.
 * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError, WorkerFailedError
 */
export async function searchBatch(
  view: OpenView,
  queries: readonly VectorLike[] | Float32Array,
  checked: CheckedSearch,
  live: () => OpenView,
): Promise<SearchHit<GivenId>[][]> {
  const rows = queryRows(queries, view.facts.dimensions)
  const base = baseAlone(view, checked)
  // Filters and words are of the calling thread: it has the sets of nodes, and the inverted index.
  return base?.threads === undefined || checked.filter !== undefined || checked.words !== undefined
    ? searchHere(view, rows, checked, live)
    : searchOnThreads({ ...base, threads: base.threads }, rows, checked, live)
}

/** Runs work for each query, and lets other work in between. */
export async function inSlices<Query, Result>(
  queries: readonly Query[],
  work: (query: Query, position: number) => Result,
): Promise<Result[]> {
  const results: Result[] = []
  let sliceEnd = performance.now() + SLICE_MS
  for (const [position, query] of queries.entries()) {
    results.push(work(query, position))
    if (performance.now() < sliceEnd) continue
    await setImmediate()
    sliceEnd = performance.now() + SLICE_MS
  }
  return results
}

function searchHere(
  view: OpenView,
  rows: readonly VectorLike[],
  checked: CheckedSearch,
  live: () => OpenView,
): Promise<SearchHit<GivenId>[][]> {
  return inSlices(rows, (query, position) => {
    live()
    // All of one generation, and of its changes as they are now.
    return searchView(view, query, position, checked)
  })
}

async function searchOnThreads(
  open: WithThreads,
  rows: readonly VectorLike[],
  { k, ef, rerank, select }: CheckedSearch,
  live: () => OpenView,
): Promise<SearchHit<GivenId>[][]> {
  const { facts, threads } = open
  const { dimensions, metric } = facts
  const hits: SearchHit<GivenId>[][] = []
  for (let first = 0; first < rows.length; first += THREADS_CHUNK) {
    const chunk = rows.slice(first, first + THREADS_CHUNK)
    const queries = new Float32Array(new SharedArrayBuffer(4 * dimensions * chunk.length))
    for (const [at, query] of chunk.entries()) {
      copyQuery(query, first + at, metric, queries.subarray(at * dimensions, (at + 1) * dimensions))
    }
    if (facts.repeatedIds) {
      const lists = await idsOnThreads(open, queries, { k, ef, rerank }, live)
      for (const found of lists) hits.push(idHitsOf(open, found, select))
      continue
    }
    const { nodes, distances, found } = await threads.search(queries, k, ef, rerank)
    live()
    const stride = nodes.length / chunk.length
    for (let at = 0; at < chunk.length; at++) {
      const [from, to] = [at * stride, at * stride + found[at]]
      hits.push(hitsOf(open, nodes.subarray(from, to), distances.subarray(from, to), select))
    }
  }
  return hits
}
