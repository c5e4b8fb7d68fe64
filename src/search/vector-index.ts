import type { MeasureOptions, RecallCurve, RecallOptions, TuneOptions, TuneResult, Tuning } from '../api/measure.js'
import type { LiveFacts } from '../api/live.js'
import type { Quantization } from '../api/report.js'
import type { FieldSchema } from '../api/fields.js'
import type {
  FacetCount,
  FacetFieldName,
  FacetOptions,
  IndexFacts,
  MaxSimOptions,
  MultiVector,
  NodeSet,
  SearchHit,
  SearchOptions,
  StoredVector,
  TextHit,
  TextSearchOptions,
} from '../api/search.js'
import { storedId } from '../api/integer-id.js'
import type { GivenId, Id, Metric, VectorLike } from '../api/vectors.js'
import { InvalidOptionError } from '../errors.js'
import { schemaOf } from '../fields/schema.js'
import { assertOptions } from '../options/check-options.js'
import { kindOf } from '../wording/value-kind.js'
import { maxSimBatch } from './batch/max-sim-batch.js'
import { searchBatch } from './batch/search-batch.js'
import { checkFacets, checkSearchOptions, checkTextSearch } from './check-search-options.js'
import { countFacets } from './count-facets.js'
import { viewFacts } from './live/live-facts.js'
import { searchMaxSim } from './max-sim/search-max-sim.js'
import { measureRecallCurve } from './measure/measure-recall-curve.js'
import { Pace } from './measure/pace.js'
import { tune } from './measure/tune.js'
import { isIds, type IdFilter } from './filter/node-filter.js'
import { setOf, setWhere } from './filter/node-sets.js'
import { baseOf, fieldsOf, tuningsOf, type OpenView } from './view/open-view.js'
import { getVectors, searchView } from './view/search-view.js'
import { Views, type Refresh } from './view/views.js'
import { searchWords } from './words/search-hybrid.js'

/**
 * An open index, which `openIndex` makes. Answers in the caller's ids. `OneId`: what they are, by `integerIds`. `Schema`:
 * the fields of its records.
 */
export class VectorIndex<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> implements IndexFacts {
  readonly #views: Views

  /** @internal */
  constructor(open: OpenView, refresh: Refresh) {
    this.#views = new Views(open, refresh)
  }

  get path(): string {
    return this.#views.facts.path
  }
  get generation(): string {
    return this.#views.facts.generation
  }
  /** Vectors in it now. */
  get count(): number {
    return this.#views.current?.live?.state.count ?? this.#views.facts.count
  }
  get repeatedIds(): boolean {
    return this.#views.current?.live?.state.settings.repeatedIds ?? this.#views.facts.repeatedIds
  }
  get dimensions(): number {
    return this.#views.facts.dimensions
  }
  get metric(): Metric {
    return this.#views.facts.metric
  }
  get m(): number {
    return this.#views.facts.m
  }
  get quantization(): Quantization {
    return this.#views.facts.quantization
  }
  get bytes(): number {
    return this.#views.facts.bytes
  }
  /** The fields of its records; undefined when it was built without. */
  get fields(): Schema | undefined {
    const fields = fieldsOf(this.#views.live())
    return fields && (schemaOf(fields) as Schema)
  }
  /** What it holds besides its last build, as of the last `refresh`. */
  get live(): LiveFacts {
    return viewFacts(this.#views.live())
  }
  /** What `tune` chose and stored, by ascending k: searches without `ef` use it. */
  get tuning(): readonly Tuning[] {
    return tuningsOf(this.#views.live())
  }

  /**
   * The k nearest, nearest first; all there are when k is more than that. Synchronous. `ef` below k counts as k. Where an
   * id may have several vectors, it is found once, by its nearest one, and k are different ids. With `score: 'maxSim'`
   * the query is several vectors, with `text` it is words as well.
   * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, IndexClosedError; CorruptIndexError when it
   * reads a damaged block
   */
  search(query: VectorLike, options?: SearchOptions<OneId, Schema>): SearchHit<OneId, Schema>[]
  search(query: MultiVector, options: MaxSimOptions<OneId, Schema>): SearchHit<OneId, Schema>[]
  search(query: VectorLike | MultiVector, options: SearchOptions<OneId, Schema> = {}): SearchHit<OneId, Schema>[] {
    const view = this.#views.live()
    const checked = checkSearchOptions(options, view)
    const hits =
      checked.score === undefined
        ? searchView(view, query as VectorLike, 0, checked)
        : searchMaxSim(view, query as MultiVector, checked)
    return hits as SearchHit<OneId, Schema>[]
  }

  /**
   * One list of hits per query, in order, all of one generation. `queries`: vectors, or row-major rows in one
   * Float32Array; with `score: 'maxSim'` an array of queries of several vectors.
   */
  searchBatch(
    queries: readonly VectorLike[] | Float32Array,
    options?: SearchOptions<OneId, Schema>,
  ): Promise<SearchHit<OneId, Schema>[][]>
  searchBatch(
    queries: readonly MultiVector[],
    options: MaxSimOptions<OneId, Schema>,
  ): Promise<SearchHit<OneId, Schema>[][]>
  async searchBatch(
    queries: readonly VectorLike[] | Float32Array | readonly MultiVector[],
    options: SearchOptions<OneId, Schema> = {},
  ): Promise<SearchHit<OneId, Schema>[][]> {
    const hits = this.#views.during((open) => {
      const checked = checkSearchOptions(options, open)
      const live = (): OpenView => this.#views.live()
      return checked.score === undefined
        ? searchBatch(open, queries as readonly VectorLike[] | Float32Array, checked, live)
        : maxSimBatch(open, queries as readonly MultiVector[], checked, live)
    })
    return hits as Promise<SearchHit<OneId, Schema>[][]>
  }

  /**
   * The k vectors whose texts fit words best, best first: any of the words, the last one also as the beginning of a word.
   * Synchronous.
   * @throws InvalidOptionError, IndexClosedError, CorruptIndexError
   */
  searchText(text: string, options: TextSearchOptions<OneId, Schema> = {}): TextHit<OneId, Schema>[] {
    const view = this.#views.live()
    return searchWords(view, checkTextSearch(text, options, view)) as TextHit<OneId, Schema>[]
  }

  /**
   * How many vectors have each value of a field, most first, equal counts by ascending values; of a list each of its
   * distinct items. Values that no vector has are not there.
   * @throws InvalidOptionError, IndexClosedError, CorruptIndexError
   */
  facets<Name extends FacetFieldName<Schema>>(options: FacetOptions<OneId, Schema, Name>): FacetCount<Schema[Name]>[] {
    const view = this.#views.live()
    return countFacets(view, checkFacets(options, view)) as FacetCount<Schema[Name]>[]
  }

  /**
   * Recall@k against exact search, and speed, over a range of ef. Runs on the calling thread, which does other work in
   * between; reads every vector once.
   * @throws InvalidOptionError, DimensionMismatchError, InvalidVectorError, AbortedError, IndexClosedError,
   * CorruptIndexError
   */
  async recallCurve(options: RecallOptions = {}): Promise<RecallCurve> {
    return this.#views.during((open) =>
      measureRecallCurve(baseOf(open), open.facts.generation, options, this.#pace(options)),
    )
  }

  /**
   * Chooses the smallest ef that reaches a recall@k, as `recallCurve` measures it, and stores it with the index.
   * Searches for this k (or a smaller k without its own choice) then use it when they give no `ef`.
   * @throws as `recallCurve`; PathError when it cannot be stored, if possible before anything is measured
   */
  async tune(options: TuneOptions): Promise<TuneResult> {
    return this.#views.during((open) => tune(baseOf(open), options, this.#pace(options)))
  }

  /**
   * The vector stored under an id, with its fields; undefined when there is none, one of them where it has several.
   * @throws InvalidIdError, IndexClosedError, CorruptIndexError
   */
  get(id: GivenId): StoredVector<OneId, Schema> | undefined {
    return this.getAll(id).at(0)
  }

  /**
   * All vectors stored under an id, in no particular order, which stays the same until it changes.
   * @throws InvalidIdError, IndexClosedError, CorruptIndexError
   */
  getAll(id: GivenId): StoredVector<OneId, Schema>[] {
    return getVectors(this.#views.live(), storedId(id)) as StoredVector<OneId, Schema>[]
  }

  /**
   * A set to filter searches with: the vectors whose id the function accepts (it is called once for each vector), or
   * the given ids that the index has. It belongs to this generation: make a new one when `refresh` has resolved with
   * true.
   */
  select(ids: Iterable<GivenId> | ((id: OneId) => boolean)): NodeSet {
    const view = this.#views.live()
    if (typeof ids === 'function') return setWhere(view, ids as IdFilter)
    if (isIds(ids)) return setOf(view, ids)
    throw new InvalidOptionError(`select takes a function of the id, or a Set or an array of ids, got ${kindOf(ids)}`)
  }

  /**
   * Takes over the live generation, if it is another one, without a gap: searches use the old one until the new one is
   * open. Resolves with whether it changed. When it rejects, the old one stays.
   */
  refresh(): Promise<boolean> {
    return this.#views.refresh()
  }

  /** Frees the memory and closes the files. A search afterwards throws IndexClosedError; closing again does nothing. */
  close(): Promise<void> {
    return this.#views.close()
  }

  /** Searches use another view from now on. @internal */
  show(view: OpenView): Promise<void> {
    return this.#views.replace(view)
  }

  #pace(options: MeasureOptions): Pace {
    assertOptions(options)
    const { signal, onProgress } = options
    return new Pace({ signal, onProgress, check: () => this.#views.live() })
  }
}
