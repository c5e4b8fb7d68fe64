import type { MeasureOptions, RecallCurve, RecallOptions, TuneOptions, TuneResult, Tuning } from '../api/measure.js'
import type { Quantization } from '../api/report.js'
import type { IndexFacts, NodeSet, SearchHit, SearchOptions, StoredVector } from '../api/search.js'
import type { Id, Metric, VectorLike } from '../api/vectors.js'
import { searchBatch } from './batch/search-batch.js'
import { checkSearchOptions } from './check-search-options.js'
import { Generations, type OpenNewer } from './generations.js'
import { measureRecallCurve } from './measure/measure-recall-curve.js'
import { Pace } from './measure/pace.js'
import { tune } from './measure/tune.js'
import { NodeBits } from './node-bits.js'
import { nodesOf, nodesWhere } from './node-filter.js'
import type { OpenGeneration } from './open-generation.js'
import { searchOne } from './search-one.js'

/** An open index, which `openIndex` makes. Answers in the caller's ids. */
export class VectorIndex implements IndexFacts {
  readonly #generations: Generations

  /** @internal */
  constructor(open: OpenGeneration, openNewer: OpenNewer) {
    this.#generations = new Generations(open, openNewer)
  }

  get path(): string {
    return this.#generations.facts.path
  }
  get generation(): string {
    return this.#generations.facts.generation
  }
  get count(): number {
    return this.#generations.facts.count
  }
  get dimensions(): number {
    return this.#generations.facts.dimensions
  }
  get metric(): Metric {
    return this.#generations.facts.metric
  }
  get m(): number {
    return this.#generations.facts.m
  }
  get quantization(): Quantization {
    return this.#generations.facts.quantization
  }
  get bytes(): number {
    return this.#generations.facts.bytes
  }
  /** What `tune` chose and stored, by ascending k: searches without `ef` use it. */
  get tuning(): readonly Tuning[] {
    return this.#generations.live().tunings
  }

  /**
   * The k nearest, nearest first; all there are when k is more than that. Synchronous. `ef` below k counts as k.
   * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, IndexClosedError; CorruptIndexError when it
   * reads a damaged block
   */
  search(query: VectorLike, options: SearchOptions = {}): SearchHit[] {
    const open = this.#generations.live()
    return searchOne(open, query, 0, checkSearchOptions(options, open.tunings))
  }

  /**
   * One list of hits per query, in order, all of one generation. `queries`: vectors, or row-major rows in one
   * Float32Array.
   */
  async searchBatch(
    queries: readonly VectorLike[] | Float32Array,
    options: SearchOptions = {},
  ): Promise<SearchHit[][]> {
    return this.#generations.during((open) =>
      searchBatch(open, queries, checkSearchOptions(options, open.tunings), () => this.#generations.live()),
    )
  }

  /**
   * Recall@k against exact search, and speed, over a range of ef. Runs on the calling thread, which does other work in
   * between; reads every vector once.
   * @throws InvalidOptionError, DimensionMismatchError, InvalidVectorError, AbortedError, IndexClosedError,
   * CorruptIndexError
   */
  async recallCurve(options: RecallOptions = {}): Promise<RecallCurve> {
    return this.#generations.during((open) =>
      measureRecallCurve(open, open.facts.generation, options, this.#pace(options)),
    )
  }

  /**
   * Chooses the smallest ef that reaches a recall@k, as `recallCurve` measures it, and stores it with the index.
   * Searches for this k (or a smaller k without its own choice) then use it when they give no `ef`.
   * @throws as `recallCurve`; PathError when it cannot be stored, if possible before anything is measured
   */
  async tune(options: TuneOptions): Promise<TuneResult> {
    return this.#generations.during((open) => tune(open, options, this.#pace(options)))
  }

  /**
   * The vector stored under an id, undefined when there is none.
   * @throws InvalidIdError, IndexClosedError, CorruptIndexError
   */
  get(id: Id): StoredVector | undefined {
    const { core, lookup } = this.#generations.live()
    const node = lookup.nodeOf(id)
    return node === undefined ? undefined : { id, vector: core.vectorOf(node) }
  }

  /**
   * A set to filter searches with: the vectors whose id the function accepts (it is called once for each vector), or
   * the given ids that the index has. It belongs to this generation: make a new one when `refresh` has resolved with
   * true.
   */
  select(ids: Iterable<Id> | ((id: Id) => boolean)): NodeSet {
    const open = this.#generations.live()
    const { generation, count } = open.facts
    return new NodeBits(generation, count, typeof ids === 'function' ? nodesWhere(open, ids) : nodesOf(open, ids))
  }

  /**
   * Takes over the live generation, if it is another one, without a gap: searches use the old one until the new one is
   * open. Resolves with whether it changed. When it rejects, the old one stays.
   */
  refresh(): Promise<boolean> {
    return this.#generations.refresh()
  }

  /** Frees the memory and closes the files. A search afterwards throws IndexClosedError; closing again does nothing. */
  close(): Promise<void> {
    return this.#generations.close()
  }

  #pace({ signal, onProgress }: MeasureOptions): Pace {
    return new Pace({ signal, onProgress, check: () => this.#generations.live() })
  }
}
