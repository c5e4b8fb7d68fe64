/** An open index: checks what it is asked, searches, and answers in the caller's ids. `openIndex` makes one. */
import { setImmediate } from 'node:timers/promises'
import { DimensionMismatchError, IndexClosedError } from '../errors.js'
import type { Metric, SearchHit, SearchOptions, VectorLike } from '../types.js'
import { checkSearchOptions, copyQuery } from './check-query.js'
import type { NodeIds } from './node-ids.js'
import type { SearchCore } from './search-core.js'

/** What a search works on. Dropped whole on close: the core's kernel memory goes with it. */
export interface LoadedIndex {
  readonly core: SearchCore
  readonly ids: NodeIds
  /** Closes the files. */
  readonly close: () => void
}

export interface IndexFacts {
  readonly path: string
  readonly generation: string
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  /** Of the generation's segments on disk. */
  readonly bytes: number
}

/** A batch lets other work of the thread run after this long. */
const BATCH_SLICE_MS = 10

export class Index implements IndexFacts {
  readonly path: string
  readonly generation: string
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  readonly bytes: number
  readonly #query: Float32Array
  #loaded: LoadedIndex | undefined

  constructor(facts: IndexFacts, loaded: LoadedIndex) {
    this.path = facts.path
    this.generation = facts.generation
    this.count = facts.count
    this.dimensions = facts.dimensions
    this.metric = facts.metric
    this.m = facts.m
    this.bytes = facts.bytes
    this.#query = new Float32Array(facts.dimensions)
    this.#loaded = loaded
  }

  /**
   * The k nearest, nearest first; all there are when k is more than that. Synchronous. `ef` below k counts as k.
   * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, IndexClosedError
   */
  search(query: VectorLike, options: SearchOptions = {}): SearchHit[] {
    const loaded = this.#open()
    const { k, ef } = checkSearchOptions(options)
    return this.#searchOne(loaded, query, 0, k, ef)
  }

  /** One list of hits per query, in order. `queries`: vectors, or row-major rows in one Float32Array. */
  async searchBatch(
    queries: readonly VectorLike[] | Float32Array,
    options: SearchOptions = {},
  ): Promise<SearchHit[][]> {
    this.#open()
    const { k, ef } = checkSearchOptions(options)
    const rows = queries instanceof Float32Array ? this.#rowsOf(queries) : queries
    const hits: SearchHit[][] = []
    let sliceEnd = performance.now() + BATCH_SLICE_MS
    for (const [position, query] of rows.entries()) {
      hits.push(this.#searchOne(this.#open(), query, position, k, ef))
      if (performance.now() < sliceEnd) continue
      await setImmediate()
      sliceEnd = performance.now() + BATCH_SLICE_MS
    }
    return hits
  }

  /** Frees the memory and closes the files. A search afterwards throws IndexClosedError; closing again does nothing. */
  async close(): Promise<void> {
    this.#loaded?.close()
    this.#loaded = undefined
  }

  #open(): LoadedIndex {
    if (this.#loaded === undefined) throw new IndexClosedError(this.path)
    return this.#loaded
  }

  #searchOne({ core, ids }: LoadedIndex, query: VectorLike, position: number, k: number, ef: number): SearchHit[] {
    copyQuery(query, position, this.metric, this.#query)
    const found = core.search(this.#query, k, ef)
    const hits: SearchHit[] = []
    // Two unit vectors in float32 can have a product a little above 1: no cosine distance is below 0.
    const least = this.metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
    for (let i = 0; i < found; i++) {
      hits.push({ id: ids.idOf(core.nodes[i]), distance: Math.max(least, core.distances[i]) })
    }
    return hits
  }

  #rowsOf(vectors: Float32Array): Float32Array[] {
    const { dimensions } = this
    const count = Math.floor(vectors.length / dimensions)
    const rest = vectors.length % dimensions
    if (rest !== 0) throw new DimensionMismatchError({ ordinal: count, expected: dimensions, got: rest, what: 'query' })
    return Array.from({ length: count }, (_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions))
  }
}
