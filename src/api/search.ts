/** What a search is asked for, and what it gives. */
import type { FieldSchema, FieldsOf, FieldType, FieldValues, Filter } from './fields.js'
import type { Quantization } from './report.js'
import type { GivenId, Id, Metric, VectorLike } from './vectors.js'

/** A set of nodes of one generation, for the `filter` of a search. `index.select` makes one. */
export interface NodeSet {
  readonly generation: string
  /** Nodes in it. */
  readonly size: number
  has(node: number): boolean
  /** Ascending. */
  nodes(): Iterable<number>
}

/** What an open index is. */
export interface IndexFacts {
  readonly path: string
  readonly generation: string
  readonly count: number
  /** Whether an id may have several vectors (`duplicates: 'keep'`): searches then find ids, each once. */
  readonly repeatedIds: boolean
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  /** What the graph is walked on: the vectors (f32), or quantized vectors. */
  readonly quantization: Quantization
  /** Size of the generation's segments on disk. */
  readonly bytes: number
}

export interface OpenOptions {
  // <generated options-open>
  /**
   * Memory that the index may hold, in bytes, or as text: '512MB' is 512 x 10^6, '2GiB' and '2G' are 2 x 2^30. The
   * whole index stays in memory once read when it fits; otherwise pages come and go. Default: the free memory.
   */
  readonly memory?: number | string
  /**
   * Worker threads that `searchBatch` uses. They share the index, which is then read whole at once and must fit
   * `memory`. 1 is the calling thread. Default 1.
   */
  readonly threads?: number
  /**
   * What ids that are integers are in results: 'number', and text beyond 2^53 − 1, where a number is not exact; or
   * 'bigint', all of them. Default 'number'.
   */
  readonly integerIds?: 'number' | 'bigint'
  /** Read everything when the index is opened, instead of each part when a search first needs it. Default false. */
  readonly preload?: boolean
  // </generated>
}

/** The names of a schema's fields. */
export type FieldName<Schema extends FieldSchema> = keyof Schema & string

/** Those of type text, in which words are found. */
export type TextFieldName<Schema extends FieldSchema> = {
  [Name in FieldName<Schema>]: 'text' extends Schema[Name] ? Name : never
}[FieldName<Schema>]

/** What the values of a field are counted as: a list by its items. */
export interface FacetValues extends Omit<FieldValues, 'keyword[]' | 'number[]' | 'geo' | 'text' | 'stored'> {
  readonly 'keyword[]': string
  readonly 'number[]': number
}

/** Those whose values are counted. */
export type FacetFieldName<Schema extends FieldSchema> = {
  [Name in FieldName<Schema>]: Extract<Schema[Name], keyof FacetValues> extends never ? never : Name
}[FieldName<Schema>]

/** `OneId`: an id as the index gives it, by `integerIds`. `Schema`: its fields. */
export interface SearchOptions<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> {
  // <generated options-search>
  /** Number of neighbours wanted. Default 10. */
  readonly k?: number
  /**
   * Beam width at level 0; at least k is used. A higher one finds more and takes longer. What `tune` stored for the
   * next larger k counts too. Default: as tuned, else 64.
   */
  readonly ef?: number
  /**
   * How many of the best candidates by their quantized vectors are scored again by their vectors; at least k, and the
   * beam is never narrower: 2k by default, and for pq and binary the whole beam, at least 5k and 10k. Distances are
   * always distances of the vectors. Default: by the quantization.
   */
  readonly rerank?: number
  /**
   * Which vectors may be found: an object of conditions on fields, `{ category: 'news', price: { $lt: 20 } }`; a Set or
   * an array of ids, which every search looks up; a set from `index.select`, which was looked up once; or a function of
   * the id, which every search calls for many ids. k vectors are found when the filter keeps k.
   */
  readonly filter?: Filter<Schema> | NodeSet | Iterable<GivenId> | ((id: OneId) => boolean)
  /** Names of fields that hits bring along, in `fields`. */
  readonly select?: readonly FieldName<Schema>[]
  /**
   * Words to find in fields of type text as well: hits are then those of the vector and those of the words, united by
   * their ranks. `ef`, at least k, is how many hits of each are united.
   */
  readonly text?: string
  /** With `text`: names of the fields that words are looked for in. Default: all fields of type text. */
  readonly textFields?: readonly TextFieldName<Schema>[]
  /**
   * With `text`, how both lists of hits become one: 'rrf', reciprocal rank fusion, sums 1 / (60 + rank) of both lists.
   * Hits have it as their `score`, the highest first. Default: 'rrf', with `text`.
   */
  readonly fusion?: 'rrf'
  /**
   * 'maxSim': the query is several vectors, and an id is ranked by the sum over them of the distance to its nearest
   * vector. `ef` is then also how many ids each of them proposes.
   */
  readonly score?: 'maxSim'
  // </generated>
}

/** Options of a search whose query is several vectors. */
export type MaxSimOptions<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> = SearchOptions<
  OneId,
  Schema
> & { readonly score: 'maxSim' }

/** Options of a search by words alone. */
export interface TextSearchOptions<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> {
  // <generated options-text-search>
  /** Number of neighbours wanted. Default 10. */
  readonly k?: number
  /**
   * Which vectors may be found: an object of conditions on fields, `{ category: 'news', price: { $lt: 20 } }`; a Set or
   * an array of ids, which every search looks up; a set from `index.select`, which was looked up once; or a function of
   * the id, which every search calls for many ids. k vectors are found when the filter keeps k.
   */
  readonly filter?: Filter<Schema> | NodeSet | Iterable<GivenId> | ((id: OneId) => boolean)
  /** Names of fields that hits bring along, in `fields`. */
  readonly select?: readonly FieldName<Schema>[]
  /** Names of the fields that words are looked for in. Default: all fields of type text. */
  readonly textFields?: readonly TextFieldName<Schema>[]
  // </generated>
}

export interface FacetOptions<
  OneId extends GivenId = Id,
  Schema extends FieldSchema = FieldSchema,
  Name extends FacetFieldName<Schema> = FacetFieldName<Schema>,
> {
  // <generated options-facets>
  /** The field whose values are counted: any but text, stored and geo. */
  readonly field: Name
  /** Which vectors are counted: a filter as in a search. */
  readonly filter?: Filter<Schema> | NodeSet | Iterable<GivenId> | ((id: OneId) => boolean)
  /** Values at most: those that most vectors have. Default: all values. */
  readonly limit?: number
  // </generated>
}

/** A value of a field, and how many vectors have it. */
export interface FacetCount<Type extends FieldType = FieldType> {
  readonly value: FacetValues[Extract<Type, keyof FacetValues>]
  readonly count: number
}

/** A vector of the index, its id as it was given, and its fields where the index has fields. */
export interface StoredVector<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> {
  readonly id: OneId
  /** A copy; of unit length for cosine. */
  readonly vector: Float32Array
  readonly fields?: FieldsOf<Schema>
}

/** The vectors of one query with `score: 'maxSim'`: an array of them, or row-major rows. */
export type MultiVector = readonly VectorLike[] | Float32Array

export interface SearchHit<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> {
  readonly id: OneId
  /**
   * In the index's metric: squared l2, 1 − cos, or −ip; of the id's nearest vector, where it may have several. With
   * `score: 'maxSim'` the sum of that over the vectors of the query.
   */
  readonly distance: number
  /** With `text`: the sum of 1 / (60 + rank) over the list of the vector's hits and that of the words'. */
  readonly score?: number
  /** What `select` names, as far as it has a value. */
  readonly fields?: FieldsOf<Schema>
}

/** A hit of a search by words alone. */
export interface TextHit<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> {
  readonly id: OneId
  /** BM25; higher is better. */
  readonly score: number
  /** What `select` names, as far as it has a value. */
  readonly fields?: FieldsOf<Schema>
}
