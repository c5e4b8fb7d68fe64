import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { WorkerFailedError } from '../../errors.js'
import { ownFile } from '../../own-files.js'
import type { Beam, SearchCore } from '../core/search-core.js'
import { createThreadContext, MIN_THREAD_BEAM, type ThreadContext } from '../core/thread-context.js'
import type { SearchSlice } from './search-slice.js'

export interface BatchResult {
  /** k per query, nearest first. */
  readonly nodes: Uint32Array
  readonly distances: Float32Array
  /** Number of hits, by query: at most k. */
  readonly found: Uint32Array
}

/** Worker threads that search one core together. */
export class SearchThreads {
  readonly #core: SearchCore
  readonly #piscina: Piscina
  readonly #threads: number
  #contexts: ThreadContext[] = []
  #last: Promise<unknown> = Promise.resolve()

  /** Starts the threads. `core` must be complete, in shared memory. */
  constructor(core: SearchCore, threads: number) {
    this.#core = core
    this.#threads = threads
    this.#piscina = new Piscina({
      filename: fileURLToPath(ownFile('workers/entry.cjs')),
      name: 'search',
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
    })
    // Without a listener an error event would end the caller's process; the task that failed rejects as well.
    this.#piscina.on('error', () => undefined)
  }

  /**
   * `queries`: row-major in shared memory. Batches run one after another, each on all threads.
   * @throws WorkerFailedError
   */
  search(queries: Float32Array, k: number, ef: number, rerank?: number): Promise<BatchResult> {
    return this.#inTurn(queries, this.#core.beamFor(k, ef, rerank))
  }

  /** As `SearchCore.walk`, for each of the queries. @throws WorkerFailedError */
  walk(queries: Float32Array, width: number): Promise<BatchResult> {
    const wanted = Math.min(width, this.#core.count)
    return this.#inTurn(queries, { k: wanted, ef: wanted, rerank: 0 })
  }

  async close(): Promise<void> {
    await this.#piscina.destroy()
  }

  #inTurn(queries: Float32Array, beam: Beam): Promise<BatchResult> {
    const batch = this.#last.then(() => this.#search(queries, beam))
    this.#last = batch.catch(() => undefined)
    return batch
  }

  async #search(queries: Float32Array, { k, ef, rerank }: Beam): Promise<BatchResult> {
    const { dimensions, memory } = this.#core
    const queryCount = queries.length / dimensions
    const result = {
      nodes: new Uint32Array(new SharedArrayBuffer(4 * k * queryCount)),
      distances: new Float32Array(new SharedArrayBuffer(4 * k * queryCount)),
      found: new Uint32Array(new SharedArrayBuffer(4 * queryCount)),
    }
    const next = new Int32Array(new SharedArrayBuffer(4))
    const maxLinks = 2 * memory.m
    const slice = {
      memory: memory.kernel.memory,
      dimensions,
      maxLinks,
      k,
      ef,
      rerank,
      queryCount,
      queries,
      next,
      ...result,
    }
    // Waits for all threads before it throws: the next batch uses the same contexts.
    const ended = await Promise.allSettled(
      this.#contextsFor(ef).map((context) => this.#piscina.run({ ...slice, context } satisfies SearchSlice)),
    )
    for (const each of ended) {
      if (each.status === 'rejected') throw new WorkerFailedError(`search ${queryCount} queries`, each.reason)
    }
    return result
  }

  /** One for each thread. A wider beam than any before takes new contexts; the memory of the old ones is not reused. */
  #contextsFor(ef: number): ThreadContext[] {
    if (this.#contexts.length === 0 || this.#contexts[0].slots < ef) {
      const width = Math.max(ef, MIN_THREAD_BEAM, 2 * (this.#contexts.at(0)?.slots ?? 0))
      this.#contexts = Array.from({ length: this.#threads }, (_, thread) =>
        createThreadContext(this.#core.memory, width, this.#contexts.at(thread)),
      )
    }
    return this.#contexts
  }
}
