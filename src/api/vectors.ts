/** Vectors as they come in: records, batches, sources. */
import type { FieldColumn, FieldSchema, GivenFields } from './fields.js'

/** l2: squared Euclidean. cosine: 1 − cos. ip: −(inner product). Smaller is nearer for each. */
export type Metric = 'l2' | 'cosine' | 'ip'

export const METRICS = ['l2', 'cosine', 'ip'] as const satisfies readonly Metric[]

export type Id = string | number

/**
 * An id as programs may give it. A bigint is the integer that it is: 5n is 5. Beyond 2^53 − 1, where a number is not
 * exact, it is the same id as its digits as text.
 */
export type GivenId = Id | bigint

/** Longest vector that can be indexed. A larger number in a file's header is damage, not data. */
export const MAX_DIMENSIONS = 65_536

/**
 * Anything a row of numbers can be. Values are read as float32. Text is what pgvector and Postgres give: '[1,2]' or
 * '{1,2}'. Bytes, in a Buffer or an ArrayBuffer, are float32 where the dimensions are known and say so.
 */
export type VectorLike =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint32Array
  | readonly number[]
  | string
  | ArrayBuffer

/** One vector. `id` defaults to the ordinal (position in the stream); given for one record, it must be for all. */
export interface VectorRecord {
  readonly id?: GivenId
  readonly vector: VectorLike
  /** By name, as the option `fields` of the build says; what is left out is missing. */
  readonly fields?: GivenFields | null
}

/** Row-major rows: `vectors.length = rows x dimensions`. The fast path: no object per vector. */
export interface VectorBatch {
  readonly ids?: readonly Id[]
  readonly vectors: Float32Array
  readonly dimensions: number
  /** A column for each field that is given: a value for each row, null where there is none. */
  readonly fields?: Readonly<Record<string, FieldColumn>>
}

/** A batch as programs may give it. */
export interface GivenBatch {
  readonly ids?: readonly GivenId[] | BigInt64Array | BigUint64Array
  readonly vectors: Float32Array
  readonly dimensions: number
  /** A column for each field that is given: a value for each row, null where there is none. */
  readonly fields?: Readonly<Record<string, FieldColumn>> | null
}

export type SourceItem = VectorRecord | GivenBatch

/** Any iterable of records or batches: an array, a generator, a Node Readable in object mode, a web ReadableStream. */
export type VectorSource = AsyncIterable<SourceItem> | Iterable<SourceItem>

/**
 * A source that can be read again from any ordinal on: the build can then be resumed. `startAt` is how many records to
 * leave out; the others must be the same as before, in the same order.
 */
export type ResumableSource = (startAt: number) => VectorSource

/** What a source knows before its first record. */
export interface SourceFacts {
  readonly count?: number
  readonly dimensions?: number
  /** What its vectors are compared with. */
  readonly metric?: Metric
  /** The fields of its records. */
  readonly fields?: FieldSchema
  /** Changes when the source does; undefined when it can be read only once. */
  readonly fingerprint?: string
}

/** A source that says what it knows of itself: options of the build that are not given are taken from it. */
export interface DescribedSource extends ResumableSource {
  facts(): Promise<SourceFacts>
}
