/** Recall measured, and a choice of ef. */
import type { VectorLike } from './vectors.js'

/** Which queries recall is measured with, and how the work is watched. */
export interface MeasureOptions {
  // <generated options-measure>
  /** Neighbours of each query. Default 10. */
  readonly k?: number
  /**
   * Number of vectors of the index that become queries, spread over all nodes; each is left out of its own neighbours.
   * They are easier to find than new queries: prefer `queries`. Default 500.
   */
  readonly sample?: number
  /**
   * Queries to measure with in place of a sample: vectors, or row-major rows in one Float32Array. Default: a sample.
   */
  readonly queries?: readonly VectorLike[] | Float32Array
  /** Decides what is sampled; unsigned 32-bit integer. Default 1. */
  readonly seed?: number
  /** An `AbortSignal`; once it fires the call rejects with `SHARDLOOM_ABORTED`. */
  readonly signal?: AbortSignal
  /** Called about ten times a second at most. */
  readonly onProgress?: (progress: MeasureProgress) => void
  // </generated>
}

export interface MeasureProgress {
  /** 'exact': all vectors are compared with all queries. 'search': the queries are searched with `ef`. */
  readonly stage: 'exact' | 'search'
  /** Only of stage 'search'. */
  readonly ef?: number
  /** Vectors that were compared, or queries that were searched. */
  readonly done: number
  readonly total: number
}

export interface RecallOptions extends MeasureOptions {
  // <generated options-recall>
  /** Beam widths to measure. Default: six, each twice the one before, from max(16, k) on. */
  readonly ef?: readonly number[]
  /**
   * How many of the best candidates by their quantized vectors are scored again by their vectors; at least k, and the
   * beam is never narrower: 2k by default, and for pq and binary the whole beam, at least 5k and 10k. Distances are
   * always distances of the vectors. Default: by the quantization.
   */
  readonly rerank?: number
  // </generated>
}

/** A 95% interval of a measured recall: few queries make it wide. */
export interface RecallInterval {
  readonly low: number
  readonly high: number
}

/** One beam width, measured on one thread. */
export interface RecallPoint {
  readonly ef: number
  /** Share of the exact k neighbours that a search finds, 0 to 1. */
  readonly recall: number
  /** Where it is with 95% certainty for other queries of the same kind. */
  readonly interval: RecallInterval
  readonly queriesPerSecond: number
  /** Median time of one search, in milliseconds. */
  readonly p50Ms: number
}

export interface RecallCurve {
  readonly generation: string
  readonly k: number
  /** How many were searched. */
  readonly queries: number
  /** 'sampled': vectors of the index, the easier ones. 'given': the caller's. */
  readonly source: 'sampled' | 'given'
  /** By ascending ef. */
  readonly points: readonly RecallPoint[]
}

export interface TuneOptions extends MeasureOptions {
  // <generated options-tune>
  /** The recall@k to reach, above 0 and up to 1. */
  readonly recall: number
  /** Keep the choice with the index: searches without `ef` then use it. Default true. */
  readonly store?: boolean
  // </generated>
}

/** A choice of ef. An index keeps one for each k, the one made last. */
export interface Tuning {
  readonly k: number
  /** What was asked for. */
  readonly targetRecall: number
  /** The smallest of those tried that reached it. */
  readonly ef: number
  /** What was measured at this ef. */
  readonly recall: number
  readonly queries: number
  readonly source: 'sampled' | 'given'
  /** ISO 8601, UTC. */
  readonly tunedAt: string
}

export interface TuneResult extends Tuning {
  /** False when no ef up to 4096 (or k) reached it: `ef` and `recall` are then the best there were, and nothing is stored. */
  readonly reached: boolean
  readonly stored: boolean
  readonly generation: string
  /** All that was tried, by ascending ef. */
  readonly points: readonly RecallPoint[]
}
