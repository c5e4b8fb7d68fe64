/** Searches for ids, of an index where they may repeat: threads walk, the calling thread groups what they found. */
import { setImmediate } from 'node:timers/promises'
import type { FoundId } from '../ids/best-ids.js'
import { IdSearch } from '../ids/id-search.js'
import type { AskedBeam } from '../live/part.js'
import type { OpenGeneration } from '../open-generation.js'
import type { OpenView } from '../view/open-view.js'
import type { SearchThreads } from './search-threads.js'

export interface WithThreads extends OpenGeneration {
  readonly threads: SearchThreads
}

/** Distances and nodes of one call of the threads at most: wide walks go in smaller calls. */
const MOST_FOUND = 2 ** 21

interface Pending {
  readonly at: number
  readonly query: Float32Array
  readonly search: IdSearch
}

/**
 * The same as each query alone finds. `queries`: row-major, checked; `live` throws to end the batch.
 * @throws WorkerFailedError, CorruptIndexError
 */
export async function idsOnThreads(
  open: WithThreads,
  queries: Float32Array,
  asked: AskedBeam,
  live: () => OpenView,
): Promise<(readonly FoundId[])[]> {
  const { dimensions } = open.facts
  const results: (readonly FoundId[])[] = []
  let pending = Array.from({ length: queries.length / dimensions }, (_, at): Pending => {
    const query = queries.subarray(at * dimensions, (at + 1) * dimensions)
    return { at, query, search: new IdSearch(open, asked) }
  })
  while (pending.length > 0) {
    const left: Pending[] = []
    for (const [width, walks] of byWidth(pending)) {
      const most = Math.max(1, Math.floor(MOST_FOUND / width))
      for (let from = 0; from < walks.length; from += most) {
        const some = walks.slice(from, from + most)
        const { nodes, distances, found } = await open.threads.walk(gathered(some, dimensions), width)
        live()
        const stride = nodes.length / some.length
        for (const [i, walk] of some.entries()) {
          const [start, end] = [i * stride, i * stride + found[i]]
          const hits = walk.search.take(walk.query, nodes.subarray(start, end), distances.subarray(start, end))
          if (hits === undefined) left.push(walk)
          else results[walk.at] = hits
        }
      }
    }
    for (const { at, query, search } of pending) {
      if (results[at] !== undefined || !search.isScan) continue
      results[at] = search.scan(query)
      await setImmediate()
      live()
    }
    pending = left.filter(({ at }) => results[at] === undefined)
  }
  return results
}

/** Walks that are as wide, together. */
function byWidth(pending: readonly Pending[]): Map<number, Pending[]> {
  const byWidth = new Map<number, Pending[]>()
  for (const walk of pending) {
    if (walk.search.isScan) continue
    const { width } = walk.search
    const same = byWidth.get(width)
    if (same === undefined) byWidth.set(width, [walk])
    else same.push(walk)
  }
  return byWidth
}

function gathered(walks: readonly Pending[], dimensions: number): Float32Array {
  const rows = new Float32Array(new SharedArrayBuffer(4 * dimensions * walks.length))
  for (const [at, { query }] of walks.entries()) rows.set(query, at * dimensions)
  return rows
}
