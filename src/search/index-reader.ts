/** An open index: checks what it is asked, searches, and answers in the caller's ids. `openIndex` makes one. */
import { setImmediate } from 'node:timers/promises'
import { DimensionMismatchError, IndexClosedError, InvalidOptionError } from '../errors.js'
import type { Id, Metric, SearchHit, SearchOptions, StoredVector, VectorLike } from '../types.js'
import { checkSearchOptions, copyQuery } from './check-query.js'
import { searchFiltered, type NodeFilter } from './filtered-search.js'
import type { IdLookup } from './id-lookup.js'
import type { NodeIds } from './node-ids.js'
import { NodeSet } from './node-set.js'
import type { SearchCore } from './search-core.js'

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

/** One generation, open. Dropped whole: the core's kernel memory goes with it. */
export interface OpenGeneration {
  readonly facts: IndexFacts
  readonly core: SearchCore
  readonly ids: NodeIds
  readonly lookup: IdLookup
  /** Closes the files. */
  readonly close: () => void
}

/** Opens the live generation when it is another than `than`. */
export type OpenNewer = (than: IndexFacts) => Promise<OpenGeneration | undefined>

/** A batch lets other work of the thread run after this long. */
const BATCH_SLICE_MS = 10

export class Index implements IndexFacts {
  readonly #openNewer: OpenNewer
  /** The last one that was open, for whoever asks about a closed index. */
  #facts: IndexFacts
  #open: OpenGeneration | undefined
  #query: Float32Array
  /** Batches under way, by generation: what `refresh` replaced closes with its last one. */
  readonly #batches = new Map<OpenGeneration, number>()
  #refreshing: Promise<boolean> | undefined

  constructor(open: OpenGeneration, openNewer: OpenNewer) {
    this.#open = open
    this.#facts = open.facts
    this.#openNewer = openNewer
    this.#query = new Float32Array(open.facts.dimensions)
  }

  get path(): string {
    return this.#facts.path
  }
  get generation(): string {
    return this.#facts.generation
  }
  get count(): number {
    return this.#facts.count
  }
  get dimensions(): number {
    return this.#facts.dimensions
  }
  get metric(): Metric {
    return this.#facts.metric
  }
  get m(): number {
    return this.#facts.m
  }
  get bytes(): number {
    return this.#facts.bytes
  }

  /**
   * The k nearest, nearest first; all there are when k is more than that. Synchronous. `ef` below k counts as k.
   * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, IndexClosedError; CorruptIndexError when it
   * comes to a damaged block
   */
  search(query: VectorLike, options: SearchOptions = {}): SearchHit[] {
    return this.#searchOne(this.#opened(), query, 0, checkSearchOptions(options))
  }

  /**
   * One list of hits per query, in order, all of one generation. `queries`: vectors, or row-major rows in one
   * Float32Array.
   */
  async searchBatch(
    queries: readonly VectorLike[] | Float32Array,
    options: SearchOptions = {},
  ): Promise<SearchHit[][]> {
    const open = this.#opened()
    const checked = checkSearchOptions(options)
    const rows = queries instanceof Float32Array ? this.#rowsOf(queries) : queries
    const hits: SearchHit[][] = []
    this.#batches.set(open, (this.#batches.get(open) ?? 0) + 1)
    try {
      let sliceEnd = performance.now() + BATCH_SLICE_MS
      for (const [position, query] of rows.entries()) {
        this.#opened()
        hits.push(this.#searchOne(open, query, position, checked))
        if (performance.now() < sliceEnd) continue
        await setImmediate()
        sliceEnd = performance.now() + BATCH_SLICE_MS
      }
      return hits
    } finally {
      const left = (this.#batches.get(open) ?? 1) - 1
      if (left > 0) this.#batches.set(open, left)
      else {
        this.#batches.delete(open)
        if (open !== this.#open) open.close()
      }
    }
  }

  /** The vector stored under an id, undefined when there is none. @throws InvalidIdError, IndexClosedError, CorruptIndexError */
  get(id: Id): StoredVector | undefined {
    const { core, lookup } = this.#opened()
    const node = lookup.nodeOf(id)
    return node === undefined ? undefined : { id, vector: core.vectorOf(node) }
  }

  /**
   * A set to filter searches with: what a function of the id keeps (asked once for each vector), or the ids given, those
   * that the index has. For this generation: after a `refresh` that took over another one, make it anew.
   */
  select(ids: Iterable<Id> | ((id: Id) => boolean)): NodeSet {
    const open = this.#opened()
    const { generation, count } = open.facts
    return new NodeSet(generation, count, typeof ids === 'function' ? nodesWhere(open, ids) : nodesOf(open, ids))
  }

  /**
   * Takes over the live generation, if it is another one, without a gap: searches go on with the old one until the new
   * one is open. Resolves with whether it changed. When it rejects, the old one stays.
   */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  /** Frees the memory and closes the files. A search afterwards throws IndexClosedError; closing again does nothing. */
  async close(): Promise<void> {
    this.#replace(undefined)
  }

  async #refresh(): Promise<boolean> {
    const newer = await this.#openNewer(this.#opened().facts)
    if (newer === undefined) return false
    if (this.#open === undefined) {
      newer.close()
      throw new IndexClosedError(this.path)
    }
    this.#replace(newer)
    this.#facts = newer.facts
    this.#query = new Float32Array(newer.facts.dimensions)
    return true
  }

  #replace(next: OpenGeneration | undefined): void {
    const old = this.#open
    this.#open = next
    if (old !== undefined && !this.#batches.has(old)) old.close()
  }

  #opened(): OpenGeneration {
    if (this.#open === undefined) throw new IndexClosedError(this.path)
    return this.#open
  }

  #searchOne(
    open: OpenGeneration,
    query: VectorLike,
    position: number,
    { k, ef, filter }: ReturnType<typeof checkSearchOptions>,
  ): SearchHit[] {
    const { core, ids, facts } = open
    // A batch may go on with a generation of other dimensions than the one that took over.
    const copy = this.#query.length === facts.dimensions ? this.#query : new Float32Array(facts.dimensions)
    copyQuery(query, position, facts.metric, copy)
    const found =
      filter === undefined ? core.search(copy, k, ef) : searchFiltered(core, copy, { k, ef }, nodeFilter(open, filter))
    const hits: SearchHit[] = []
    // Two unit vectors in float32 can have a product a little above 1: no cosine distance is below 0.
    const least = facts.metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
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

function nodeFilter(open: OpenGeneration, filter: NodeSet | ((id: Id) => boolean)): NodeFilter {
  const { facts, ids } = open
  if (typeof filter === 'function') {
    return {
      keeps: (node) => filter(ids.idOf(node)),
      size: facts.count,
      counted: false,
      nodes: () => nodesWhere(open, filter),
    }
  }
  if (filter.generation !== facts.generation) {
    throw new InvalidOptionError(
      `filter is a set of ${filter.generation}, and ${facts.generation} is searched: select it anew after a refresh`,
    )
  }
  return { keeps: (node) => filter.has(node), size: filter.size, counted: true, nodes: () => filter.nodes() }
}

function* nodesWhere({ facts, ids }: OpenGeneration, keeps: (id: Id) => boolean): Generator<number> {
  for (let node = 0; node < facts.count; node++) if (keeps(ids.idOf(node))) yield node
}

function* nodesOf({ lookup }: OpenGeneration, ids: Iterable<Id>): Generator<number> {
  for (const id of ids) {
    const node = lookup.nodeOf(id)
    if (node !== undefined) yield node
  }
}
