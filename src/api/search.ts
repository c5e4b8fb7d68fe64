/** What a search is asked for, and what it gives. */
import type { Id } from './vectors.js'

/** A set of nodes of one generation, for the `filter` of a search. `index.select` makes one. */
export interface NodeSet {
  readonly generation: string
  /** Nodes in it. */
  readonly size: number
  has(node: number): boolean
  /** Ascending. */
  nodes(): Iterable<number>
}

export interface OpenOptions {
  /**
   * What the index may hold in memory, in bytes or as '512MB', '2GiB'. Default: what the machine or its cgroup leaves. All
   * of the index stays in memory once read when it fits, 4 GiB of it at most; else pages come and go.
   */
  readonly memory?: number | string
  /**
   * Worker threads that `searchBatch` uses. They share the index, which is then read whole at once, and must fit `memory`.
   * Default 1: the calling thread.
   */
  readonly threads?: number
  /** Read everything now, instead of when a search comes to it. Default false. */
  readonly preload?: boolean
}

export interface SearchOptions {
  /** Neighbours wanted. Default 10. */
  readonly k?: number
  /** Beam width at level 0; at least k is used. Default: what `tune` chose for this k, or the next larger one; else 64. */
  readonly ef?: number
  /**
   * How many of the best by their codes are scored again on their vectors, where the index has codes; at least k. The beam
   * is never narrower. Default: 2k for f16 and sq8; for pq and binary all of the beam, 5k and 10k at least. Distances are
   * always those of the vectors.
   */
  readonly rerank?: number
  /**
   * Which vectors may be found: a set that `index.select` made, or a function of the id, which is asked for many ids in every
   * search. k are found when k are kept.
   */
  readonly filter?: NodeSet | ((id: Id) => boolean)
}

/** A vector of the index, and its id as it was given. */
export interface StoredVector {
  readonly id: Id
  /** A copy; of unit length for cosine. */
  readonly vector: Float32Array
}

export interface SearchHit {
  readonly id: Id
  /** In the index's metric: squared l2, 1 − cos, or −ip. */
  readonly distance: number
}
