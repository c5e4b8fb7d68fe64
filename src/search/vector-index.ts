import type { MeasureOptions, RecallCurve, RecallOptions, TuneOptions, TuneResult, Tuning } from '../api/measure.js'
import type { Quantization } from '../api/report.js'
import type { IndexFacts, NodeSet, SearchHit, SearchOptions, StoredVector } from '../api/search.js'
import { storedId } from '../api/integer-id.js'
import type { GivenId, Id, Metric, VectorLike } from '../api/vectors.js'
import { InvalidOptionError } from '../errors.js'
import { assertOptions } from '../options/check-options.js'
import { kindOf } from '../value-kind.js'
import { searchBatch } from './batch/search-batch.js'
import { checkSearchOptions } from './check-search-options.js'
import { Generations, type OpenNewer } from './generations.js'
import { measureRecallCurve } from './measure/measure-recall-curve.js'
import { Pace } from './measure/pace.js'
import { tune } from './measure/tune.js'
import { NodeBits } from './node-bits.js'
import { isIds, nodesOf, nodesWhere, type IdFilter } from './node-filter.js'
import type { OpenGeneration } from './open-generation.js'
import { searchOne } from './search-one.js'

/** An open index, which `openIndex` makes. Answers in the caller's ids. `OneId`: what they are, by `integerIds`. */
export class VectorIndex<OneId extends GivenId = Id> implements IndexFacts {
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
  search(query: VectorLike, options: SearchOptions<OneId> = {}): SearchHit<OneId>[] {
    const open = this.#generations.live()
    return searchOne(open, query, 0, checkSearchOptions(options, open)) as SearchHit<OneId>[]
  }

  /**
   * One list of hits per query, in order, all of one generation. `queries`: vectors, or row-major rows in one
   * Float32Array.
   */
  async searchBatch(
    queries: readonly VectorLike[] | Float32Array,
    options: SearchOptions<OneId> = {},
  ): Promise<SearchHit<OneId>[][]> {
    const hits = this.#generations.during((open) =>
      searchBatch(open, queries, checkSearchOptions(options, open), () => this.#generations.live()),
    )
    return hits as Promise<SearchHit<OneId>[][]>
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
  get(id: GivenId): StoredVector<OneId> | undefined {
    const { core, lookup, ids } = this.#generations.live()
    const node = lookup.nodeOf(storedId(id))
    return node === undefined ? undefined : { id: ids.shownIdOf(node) as OneId, vector: core.vectorOf(node) }
  }

  /**
   * A set to filter searches with: the vectors whose id the function accepts (it is called once for each vector), or
   * the given ids that the index has. It belongs to this generation: make a new one when `refresh` has resolved with
   * true.
   */
  select(ids: Iterable<GivenId> | ((id: OneId) => boolean)): NodeSet {
    const open = this.#generations.live()
    const { generation, count } = open.facts
    if (typeof ids === 'function') return new NodeBits(generation, count, nodesWhere(open, ids as IdFilter))
    if (isIds(ids)) return new NodeBits(generation, count, nodesOf(open, ids))
    throw new InvalidOptionError(`select takes a function of the id, or a Set or an array of ids, got ${kindOf(ids)}`)
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

  #pace(options: MeasureOptions): Pace {
    assertOptions(options)
    const { signal, onProgress } = options
    return new Pace({ signal, onProgress, check: () => this.#generations.live() })
  }
}
