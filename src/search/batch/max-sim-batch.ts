/** Many queries of several vectors each. */
import type { MultiVector, SearchHit } from '../../api/search.js'
import type { GivenId } from '../../api/vectors.js'
import { InvalidOptionError } from '../../errors.js'
import { kindOf } from '../../wording/value-kind.js'
import { baseAlone } from '../view/base-alone.js'
import type { CheckedSearch } from '../check-search-options.js'
import type { Found } from '../live/search-live.js'
import { askedOf, copiesOf, rank, ROUNDS, searchMaxSim } from '../max-sim/search-max-sim.js'
import type { OpenView } from '../view/open-view.js'
import { idsOnThreads, type WithThreads } from './ids-on-threads.js'
import { inSlices } from './search-batch.js'

/** Vectors of queries that go to the threads at a time. */
const THREADS_CHUNK = 1024

/**
 * One list of hits per query, in order, as `searchMaxSim`. `live` as in `searchBatch`.
 * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError, WorkerFailedError
 */
export async function maxSimBatch(
  view: OpenView,
  queries: readonly MultiVector[],
  checked: CheckedSearch,
  live: () => OpenView,
): Promise<SearchHit<GivenId>[][]> {
  if (!Array.isArray(queries)) {
    throw new InvalidOptionError(
      `queries must be an array of queries, each of several vectors, with score 'maxSim', got ${kindOf(queries)}`,
    )
  }
  const base = baseAlone(view, checked)
  if (base?.threads !== undefined && checked.filter === undefined) {
    return onThreads(view, { ...base, threads: base.threads }, queries as readonly MultiVector[], checked, live)
  }
  return inSlices(queries as readonly MultiVector[], (query) => {
    live()
    // All of one generation, and of its changes as they are now.
    return searchMaxSim(view, query, checked)
  })
}

async function onThreads(
  view: OpenView,
  base: WithThreads,
  queries: readonly MultiVector[],
  checked: CheckedSearch,
  live: () => OpenView,
): Promise<SearchHit<GivenId>[][]> {
  const hits: SearchHit<GivenId>[][] = []
  for (let from = 0; from < queries.length;) {
    const chunk: Float32Array[][] = []
    for (let rows = 0; from < queries.length && rows < THREADS_CHUNK; from++) {
      chunk.push(copiesOf(view, queries[from]))
      rows += chunk[chunk.length - 1].length
    }
    for (const found of await searchChunk(view, base, chunk, checked, live)) hits.push(found)
  }
  return hits
}

async function searchChunk(
  view: OpenView,
  base: WithThreads,
  queries: readonly (readonly Float32Array[])[],
  checked: CheckedSearch,
  live: () => OpenView,
): Promise<SearchHit<GivenId>[][]> {
  const hits = queries.map((): SearchHit<GivenId>[] => [])
  let pending = Array.from(queries.entries())
  for (const round of ROUNDS) {
    const asked = askedOf(checked, round)
    const vectors = pending.flatMap(([, copies]) => copies)
    const proposals = vectors.length === 0 ? [] : await proposeOnThreads(base, vectors, asked, live)
    let first = 0
    const ranked = await inSlices(pending, ([at, copies]) => {
      live()
      const { hits: found, isEnough } = rank(
        view,
        copies,
        proposals.slice(first, first + copies.length),
        checked,
        asked.k,
      )
      first += copies.length
      hits[at] = found
      return isEnough
    })
    pending = pending.filter((_, at) => !ranked[at])
  }
  return hits
}

async function proposeOnThreads(
  base: WithThreads,
  rows: readonly Float32Array[],
  { k, ef, rerank }: CheckedSearch,
  live: () => OpenView,
): Promise<readonly (readonly Found[])[]> {
  const { dimensions, repeatedIds } = base.facts
  const queries = new Float32Array(new SharedArrayBuffer(4 * dimensions * rows.length))
  for (const [at, row] of rows.entries()) queries.set(row, at * dimensions)
  if (repeatedIds) return idsOnThreads(base, queries, { k, ef, rerank }, live)
  const { nodes, distances, found } = await base.threads.search(queries, k, ef, rerank)
  live()
  const stride = nodes.length / rows.length
  return rows.map((_, at) =>
    Array.from({ length: found[at] }, (_one, i) => ({
      id: base.ids.idOf(nodes[at * stride + i]),
      distance: distances[at * stride + i],
    })),
  )
}
