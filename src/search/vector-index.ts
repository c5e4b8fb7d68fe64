/** An open index: checks what it is asked, searches, and answers in the caller's ids. `openIndex` makes one. */
import { setImmediate } from 'node:timers/promises'
import { DimensionMismatchError, IndexClosedError, InvalidOptionError } from '../errors.js'
import { checkTuningWritable, storeTuning } from '../format/generation/tuning.js'
import type { Id, Metric, VectorLike } from '../api/vectors.js'
import type { MeasureOptions, RecallCurve, RecallOptions, TuneOptions, TuneResult, Tuning } from '../api/measure.js'
import type { SearchHit, SearchOptions, StoredVector } from '../api/search.js'
import type { Quantization } from '../api/report.js'
import { checkSearchOptions, copyQuery, type CheckedSearch } from './check-search-options.js'
import { searchFiltered, type NodeFilter } from './search-filtered.js'
import type { IdLookup } from './id-lookup.js'
import type { NodeIds } from './node-ids.js'
import { checkTarget } from './measure/check-measure-options.js'
import { NodeBits } from './node-bits.js'
import type { NodeSet } from '../api/search.js'
import { Pace } from './measure/pace.js'
import { measureRecallCurve } from './measure/measure-recall-curve.js'
import type { SearchCore } from './core/search-core.js'
import type { SearchThreads } from './batch/search-threads.js'
import { chooseEf } from './measure/choose-ef.js'
import type { RowSource } from '../rows/row-source.js'

export interface IndexFacts {
  readonly path: string
  readonly generation: string
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  /** What the graph is walked on: the vectors (f32), or codes of them. */
  readonly quantization: Quantization
  /** Of the generation's segments on disk. */
  readonly bytes: number
}

/** One generation, open. Dropped whole: the core's kernel memory goes with it. */
export interface OpenGeneration {
  readonly facts: IndexFacts
  readonly core: SearchCore
  readonly ids: NodeIds
  readonly lookup: IdLookup
  readonly threads: SearchThreads | undefined
  /** All vectors, by node, from their files. */
  readonly vectors: RowSource
  /** Where its files are. */
  readonly directory: string
  /** Choices of ef that are stored with it, by ascending k. `tune` adds to them. */
  tunings: readonly Tuning[]
  /** Closes the files and ends the threads. */
  readonly close: () => Promise<void>
}

/** Opens the live generation when it is another than `than`. */
export type OpenNewer = (than: IndexFacts) => Promise<OpenGeneration | undefined>

/** A batch lets other work of the thread run after this long. */
const BATCH_SLICE_MS = 10
/** Queries that go to the threads at a time: their copies and results are all that a large batch holds besides its hits. */
const THREADS_CHUNK = 4096

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
  get quantization(): Quantization {
    return this.#facts.quantization
  }
  get bytes(): number {
    return this.#facts.bytes
  }
  /** What `tune` chose and stored, by ascending k: what searches without `ef` go by. */
  get tuning(): readonly Tuning[] {
    return this.#opened().tunings
  }

  /**
   * The k nearest, nearest first; all there are when k is more than that. Synchronous. `ef` below k counts as k.
   * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, IndexClosedError; CorruptIndexError when it
   * comes to a damaged block
   */
  search(query: VectorLike, options: SearchOptions = {}): SearchHit[] {
    const open = this.#opened()
    return this.#searchOne(open, query, 0, checkSearchOptions(options, open.tunings))
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
    const checked = checkSearchOptions(options, open.tunings)
    const rows = queries instanceof Float32Array ? this.#rowsOf(queries) : queries
    return this.#during(open, async () => {
      const { threads } = open
      if (threads === undefined || checked.filter !== undefined) return this.#searchHere(open, rows, checked)
      return this.#searchThreads(open, threads, rows, checked)
    })
  }

  /**
   * Recall@k against exact search, and speed, over a range of ef. Runs on the calling thread and lets other work in; reads
   * every vector once.
   * @throws InvalidOptionError, DimensionMismatchError, InvalidVectorError, AbortedError, IndexClosedError, CorruptIndexError
   */
  async recallCurve(options: RecallOptions = {}): Promise<RecallCurve> {
    const open = this.#opened()
    return this.#during(open, () => measureRecallCurve(open, open.facts.generation, options, this.#pace(options)))
  }

  /**
   * Chooses the smallest ef that reaches a recall@k, as `recallCurve` measures it, and stores it with the index: searches for
   * this k (or a smaller one that has no choice of its own) that say no `ef` then use it.
   * @throws as `recallCurve`; PathError when it cannot be stored, before anything is measured where that can be told
   */
  async tune(options: TuneOptions): Promise<TuneResult> {
    const open = this.#opened()
    const { store } = checkTarget(options)
    return this.#during(open, async () => {
      const { generation } = open.facts
      if (store) await checkTuningWritable(open.directory)
      const chosen = await chooseEf(open, generation, options, this.#pace(options))
      if (!store || !chosen.reached) return { ...chosen, stored: false }
      const { k, targetRecall, ef, recall, queries, source, tunedAt } = chosen
      const tuning = { k, targetRecall, ef, recall, queries, source, tunedAt }
      open.tunings = await storeTuning(open.directory, generation, tuning)
      return { ...chosen, stored: true }
    })
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
    return new NodeBits(generation, count, typeof ids === 'function' ? nodesWhere(open, ids) : nodesOf(open, ids))
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
  close(): Promise<void> {
    return this.#replace(undefined)
  }

  async #refresh(): Promise<boolean> {
    const newer = await this.#openNewer(this.#opened().facts)
    if (newer === undefined) return false
    if (this.#open === undefined) {
      await newer.close()
      throw new IndexClosedError(this.path)
    }
    const replaced = this.#replace(newer)
    this.#facts = newer.facts
    this.#query = new Float32Array(newer.facts.dimensions)
    await replaced
    return true
  }

  async #replace(next: OpenGeneration | undefined): Promise<void> {
    const old = this.#open
    this.#open = next
    if (old !== undefined && !this.#batches.has(old)) await old.close()
  }

  /** On this thread, in slices that let other work of it run. */
  async #searchHere(open: OpenGeneration, rows: readonly VectorLike[], checked: CheckedSearch): Promise<SearchHit[][]> {
    const hits: SearchHit[][] = []
    let sliceEnd = performance.now() + BATCH_SLICE_MS
    for (const [position, query] of rows.entries()) {
      this.#opened()
      hits.push(this.#searchOne(open, query, position, checked))
      if (performance.now() < sliceEnd) continue
      await setImmediate()
      sliceEnd = performance.now() + BATCH_SLICE_MS
    }
    return hits
  }

  /** On the threads of the index, some thousand queries at a time. */
  async #searchThreads(
    { facts, ids }: OpenGeneration,
    threads: SearchThreads,
    rows: readonly VectorLike[],
    { k, ef, rerank }: CheckedSearch,
  ): Promise<SearchHit[][]> {
    const { dimensions, metric } = facts
    const hits: SearchHit[][] = []
    for (let first = 0; first < rows.length; first += THREADS_CHUNK) {
      const chunk = rows.slice(first, first + THREADS_CHUNK)
      const queries = new Float32Array(new SharedArrayBuffer(4 * dimensions * chunk.length))
      for (const [at, query] of chunk.entries()) {
        copyQuery(query, first + at, metric, queries.subarray(at * dimensions, (at + 1) * dimensions))
      }
      const { nodes, distances, found } = await threads.search(queries, k, ef, rerank)
      this.#opened()
      const stride = nodes.length / chunk.length
      for (let at = 0; at < chunk.length; at++) {
        const [from, to] = [at * stride, at * stride + found[at]]
        hits.push(hitsOf(metric, ids, nodes.subarray(from, to), distances.subarray(from, to)))
      }
    }
    return hits
  }

  /** Work that goes on with the generation it began with: what `refresh` replaces is closed when the last of it ends. */
  async #during<Result>(open: OpenGeneration, work: () => Promise<Result>): Promise<Result> {
    this.#batches.set(open, (this.#batches.get(open) ?? 0) + 1)
    try {
      return await work()
    } finally {
      const left = (this.#batches.get(open) ?? 1) - 1
      if (left > 0) this.#batches.set(open, left)
      else {
        this.#batches.delete(open)
        if (open !== this.#open) await open.close()
      }
    }
  }

  #pace({ signal, onProgress }: MeasureOptions): Pace {
    return new Pace({ signal, onProgress, check: () => this.#opened() })
  }

  #opened(): OpenGeneration {
    if (this.#open === undefined) throw new IndexClosedError(this.path)
    return this.#open
  }

  #searchOne(
    open: OpenGeneration,
    query: VectorLike,
    position: number,
    { filter, ...asked }: CheckedSearch,
  ): SearchHit[] {
    const { core, ids, facts } = open
    // A batch may go on with a generation of other dimensions than the one that took over.
    const copy = this.#query.length === facts.dimensions ? this.#query : new Float32Array(facts.dimensions)
    copyQuery(query, position, facts.metric, copy)
    const found =
      filter === undefined
        ? core.search(copy, asked.k, asked.ef, asked.rerank)
        : searchFiltered(core, copy, asked, nodeFilter(open, filter))
    return hitsOf(facts.metric, ids, core.nodes.subarray(0, found), core.distances)
  }

  #rowsOf(vectors: Float32Array): Float32Array[] {
    const { dimensions } = this
    const count = Math.floor(vectors.length / dimensions)
    const rest = vectors.length % dimensions
    if (rest !== 0) throw new DimensionMismatchError({ ordinal: count, expected: dimensions, got: rest, what: 'query' })
    return Array.from({ length: count }, (_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions))
  }
}

function hitsOf(metric: Metric, ids: NodeIds, nodes: Uint32Array, distances: Float32Array): SearchHit[] {
  const hits: SearchHit[] = []
  // Two unit vectors in float32 can have a product a little above 1: no cosine distance is below 0.
  const least = metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
  for (let i = 0; i < nodes.length; i++) {
    hits.push({ id: ids.idOf(nodes[i]), distance: Math.max(least, distances[i]) })
  }
  return hits
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
