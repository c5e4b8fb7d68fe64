import { WorkerFailedError } from '../../errors.js'
import { ownFile } from '../../own-files.js'
import { ThreadPool } from '../../host/threads.js'
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
  readonly #pool: ThreadPool
  readonly #threads: number
  #contexts: ThreadContext[] = []
  #last: Promise<unknown> = Promise.resolve()

  /** Starts the threads. `core` must be complete, in shared memory. `entry`: of the threads, for tests. */
  constructor(core: SearchCore, threads: number, entry = ownFile('workers/entry.cjs')) {
    this.#core = core
    this.#threads = threads
    const count = { minThreads: threads, maxThreads: threads }
    this.#pool = new ThreadPool({ entry, name: 'search', ...count, idleMs: Number.POSITIVE_INFINITY })
  }

  /**
   * `queries`: row-major in shared memory. Batches run one after another, each on all threads. A batch that loses a
   * thread runs once more, on fresh ones. @throws WorkerFailedError
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
    await this.#pool.close()
  }

  #inTurn(queries: Float32Array, beam: Beam): Promise<BatchResult> {
    const batch = this.#last.then(() => this.#searchOrRepeat(queries, beam))
    this.#last = batch.catch(() => undefined)
    return batch
  }

  async #searchOrRepeat(queries: Float32Array, beam: Beam): Promise<BatchResult> {
    try {
      return await this.#search(queries, beam)
    } catch {
      // The error of the second attempt says why.
      return await this.#search(queries, beam).catch((error: unknown) => {
        throw new WorkerFailedError(`search ${queries.length / this.#core.dimensions} queries`, error)
      })
    }
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
      this.#contextsFor(ef).map((context) => this.#pool.run({ ...slice, context } satisfies SearchSlice)),
    )
    const failed = ended.find((each) => each.status === 'rejected')
    if (failed === undefined) return result
    // A thread that was ended in the middle of a search leaves its context as it was then.
    this.#contexts = []
    throw failed.reason
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
