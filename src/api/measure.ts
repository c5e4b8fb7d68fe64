/** Recall measured, and a choice of ef. */
import type { VectorLike } from './vectors.js'

/** Which queries recall is measured with, and how the work is watched. */
export interface MeasureOptions {
  /** Neighbours of each query. Default 10. */
  readonly k?: number
  /**
   * Vectors of the index that are taken as queries, spread over all nodes; each is left out of its own neighbours. Default
   * 500. They are easier to find than queries that are not in the index: prefer `queries`.
   */
  readonly sample?: number
  /** Queries of your own: vectors, or row-major rows in one Float32Array. */
  readonly queries?: readonly VectorLike[] | Float32Array
  /** Decides what is sampled. Unsigned 32-bit. Default 1. */
  readonly seed?: number
  readonly signal?: AbortSignal
  /** Called at most about ten times a second. */
  readonly onProgress?: (progress: MeasureProgress) => void
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
  /** Beam widths to measure. Default: six, from max(16, k) on, each twice the one before. */
  readonly ef?: readonly number[]
  /** As in a search. */
  readonly rerank?: number
}

/** One beam width, measured on one thread. */
export interface RecallPoint {
  readonly ef: number
  /** Share of the exact k neighbours that a search finds, 0 to 1. */
  readonly recall: number
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
  /** What recall@k must be, more than 0 and up to 1. */
  readonly recall: number
  /** Keep the choice with the index: searches without `ef` use it from then on. Default true. */
  readonly store?: boolean
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
