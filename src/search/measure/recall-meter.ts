import { Kernel } from '../../../kernel/kernel.js'
import type { RecallPoint } from '../../api/measure.js'
import { scanSteps } from './scan-rows.js'
import type { MeasuredQueries } from './measured-queries.js'
import { emptyLists, insertNearest, type NearestLists } from './nearest-lists.js'
import type { Pace } from './pace.js'
import { percentile } from './percentile.js'
import { recallOf } from './recall-of.js'
import type { SearchCore } from '../core/search-core.js'
import type { RowSource } from '../../rows/row-source.js'

/** Enough for the JavaScript engine to compile the hot loop and for the caches to hold the upper levels. */
const WARM_UP_QUERIES = 200

export interface Measurable {
  readonly core: SearchCore
  /** All vectors, by node. */
  readonly vectors: RowSource
}

/**
 * Recall and speed of an open index at any beam width, against exact search. The exact neighbours are found once: all
 * vectors are read from their files, front to back and not through the pages of searches, and compared with all
 * queries.
 */
export class RecallMeter {
  readonly #core: SearchCore
  readonly #queries: MeasuredQueries
  readonly #exact: NearestLists
  readonly #pace: Pace
  #warm = false

  private constructor(core: SearchCore, queries: MeasuredQueries, exact: NearestLists, pace: Pace) {
    this.#core = core
    this.#queries = queries
    this.#exact = exact
    this.#pace = pace
  }

  /** Takes some MiB, and three times the queries and their neighbours. @throws CorruptIndexError, AbortedError */
  static async create(measured: Measurable, queries: MeasuredQueries, pace: Pace): Promise<RecallMeter> {
    return new RecallMeter(measured.core, queries, await exactNeighbours(measured, queries, pace), pace)
  }

  /** Searches all queries once, one after another. @throws CorruptIndexError, AbortedError */
  async at(ef: number, rerank?: number): Promise<RecallPoint> {
    const { queryCount } = this.#queries
    if (!this.#warm) await this.#searchAll(Math.min(WARM_UP_QUERIES, queryCount), ef, rerank)
    this.#warm = true
    const { found, tookMs } = await this.#searchAll(queryCount, ef, rerank)
    const seconds = tookMs.reduce((sum, ms) => sum + ms, 0) / 1000
    return {
      ef,
      ...recallOf(this.#exact, found, this.#queries),
      queriesPerSecond: queryCount / seconds,
      p50Ms: percentile(tookMs.sort(), 0.5),
    }
  }

  async #searchAll(
    total: number,
    ef: number,
    rerank: number | undefined,
  ): Promise<{ found: NearestLists; tookMs: Float64Array }> {
    const { rows, k } = this.#queries
    const core = this.#core
    const found = emptyLists(total, k)
    const tookMs = new Float64Array(total)
    for (let query = 0; query < total; query++) {
      const row = rows.subarray(query * core.dimensions, (query + 1) * core.dimensions)
      const startedMs = performance.now()
      const hits = core.search(row, k, ef, rerank)
      tookMs[query] = performance.now() - startedMs
      for (let i = 0; i < hits; i++) insertNearest(found, query, core.nodes[i], core.distances[i])
      await this.#pace.step({ stage: 'search', ef, done: query + 1, total })
    }
    return { found, tookMs }
  }
}

async function exactNeighbours(
  { core, vectors }: Measurable,
  { rows, queryCount, k }: MeasuredQueries,
  pace: Pace,
): Promise<NearestLists> {
  const { dimensions, metric, count } = core
  const rowBytes = 4 * dimensions
  const scanned = {
    first: 0,
    count,
    read: (first: number, into: Uint8Array) => vectors.read(first, into.length / rowBytes, into),
  }
  const maxSquaredNorm = metric === 'ip' ? await largestSquaredNorm(vectors, dimensions, pace) : 0
  const asked = { metric, dimensions, queries: rows, queryCount, k, maxSquaredNorm }
  // A separate kernel, whose memory is freed afterwards: the memory of the index holds its pages.
  const steps = scanSteps(Kernel.create(), asked, scanned)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await pace.step({ stage: 'exact', done: step.value, total: count })
  }
}

/** Bytes of rows read at a time. */
const NORM_BYTES = 2 ** 20

/** Exact search under ip needs it, and no file has it. */
async function largestSquaredNorm(vectors: RowSource, dimensions: number, pace: Pace): Promise<number> {
  const { count, strideBytes } = vectors
  const chunkRows = Math.max(1, Math.floor(NORM_BYTES / strideBytes))
  const rows = new Float32Array(Math.min(count, chunkRows) * dimensions)
  let largest = 0
  for (let first = 0; first < count; first += chunkRows) {
    const read = Math.min(chunkRows, count - first)
    vectors.read(first, read, new Uint8Array(rows.buffer, 0, read * strideBytes))
    for (let row = 0; row < read; row++) {
      let norm = 0
      for (let at = row * dimensions; at < (row + 1) * dimensions; at++) norm += rows[at] * rows[at]
      if (norm > largest) largest = norm
    }
    await pace.step({ stage: 'exact', done: 0, total: count })
  }
  return largest
}
