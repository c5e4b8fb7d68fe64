import { setImmediate } from 'node:timers/promises'
import type { VectorIndex } from '../../search/vector-index.js'
import { percentile } from '../../search/measure/percentile.js'
import type { SearchHit, SearchOptions } from '../../api/search.js'

export interface MeasuredSearch {
  readonly results: SearchHit[][]
  readonly queriesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Enough for the JavaScript engine to compile the hot loop, and to bring the upper levels into the caches. */
const WARM_UP_QUERIES = 200
const WARM_UP_MS = 500

/** A signal is heard between two turns: this long a loop may hold the thread. */
const TURN_MS = 200

/** Searches every query once, after a warm-up, one thread. */
export async function measureSearch(
  index: VectorIndex,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<MeasuredSearch> {
  warmUp(index, queries, options)
  const results: SearchHit[][] = []
  const tookMs = new Float64Array(queries.length)
  let turnMs = performance.now()
  let beganMs = turnMs
  let spentMs = 0
  for (const [i, query] of queries.entries()) {
    results.push(index.search(query, options))
    const endedMs = performance.now()
    tookMs[i] = endedMs - beganMs
    beganMs = endedMs
    if (endedMs - turnMs < TURN_MS) continue
    spentMs += endedMs - turnMs
    await setImmediate()
    turnMs = beganMs = performance.now()
  }
  const seconds = (spentMs + beganMs - turnMs) / 1000
  tookMs.sort()
  return {
    results,
    queriesPerSecond: queries.length / seconds,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
  }
}

function warmUp(index: VectorIndex, queries: readonly Float32Array[], options: SearchOptions): void {
  const endMs = performance.now() + WARM_UP_MS
  for (let i = 0; i < WARM_UP_QUERIES && performance.now() < endMs; i++) {
    index.search(queries[i % queries.length], options)
  }
}
