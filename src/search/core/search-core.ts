/**
 * Searches of one index, in nodes. The caller fills `vectorsAt` and `linksAt` before the first search, in any order,
 * unless the shape has sources of rows (`paged`).
 *
 * Where the shape has quantized vectors, the walk compares these, and the best of it are scored again on the vectors,
 * by the same call of the kernel.
 */
import type { Kernel } from '../../../kernel/kernel.js'
import type { Metric } from '../../api/vectors.js'
import { defaultRerank } from './default-rerank.js'
import { contextWord } from './search-context.js'
import { SearchMemory, type SearchShape } from './search-memory.js'

/** 1 <= k <= ef, both at most the count. `rerank`: how many are scored again; 0 without quantized vectors. */
export interface Beam {
  readonly k: number
  readonly ef: number
  readonly rerank: number
}

export class SearchCore {
  /** Results of the last search, nearest first: valid up to its return value, until the next search. */
  nodes = new Uint32Array(0)
  /** In the index's metric: squared l2, 1 − cos, or −ip. */
  distances = new Float32Array(0)
  readonly memory: SearchMemory

  /** @throws ShardloomError when the kernel's memory cannot grow as far. */
  constructor(kernel: Kernel, shape: SearchShape) {
    this.memory = new SearchMemory(kernel, shape)
  }

  get metric(): Metric {
    return this.memory.metric
  }
  get dimensions(): number {
    return this.memory.dimensions
  }
  get count(): number {
    return this.memory.count
  }
  /** Links of a node on levels ≥ 1; twice as many at level 0. */
  get m(): number {
    return this.memory.m
  }

  /** Distances that the last search computed. */
  get computedDistances(): number {
    return contextWord(this.memory.kernel, this.memory.context, 'computed')
  }

  /** The vectors of `count` nodes from `node` on, row-major f32, to be filled. Valid until the kernel allocates. */
  vectorsAt(node: number, count: number): Uint8Array {
    return this.memory.rows.rowsAt('vectors', node, count)
  }

  /**
   * The links rows of `count` nodes from `node` on (u32 count, 2m x u32), to be filled. Valid until the kernel
   * allocates.
   */
  linksAt(node: number, count: number): Uint8Array {
    return this.memory.rows.rowsAt('links', node, count)
  }

  /** The stored vector of a node: a copy; of unit length for cosine. */
  vectorOf(node: number): Float32Array {
    const row = new Uint8Array(4 * this.dimensions)
    this.memory.rows.readVector(node, row)
    return new Float32Array(row.buffer)
  }

  /**
   * The nearest of `query` (`dimensions` long; unit length for cosine) with a beam of max(k, ef): fills `nodes` and
   * `distances`, ascending, ties by lower node. Returns how many were found: less than k only when fewer are reachable.
   * Where the walk is on quantized vectors, the best `rerank` (k at least) are scored again on their vectors.
   */
  search(query: Float32Array, k: number, ef: number, rerank?: number): number {
    return this.#search(query, this.beamFor(k, ef, rerank))
  }

  /** As `search`, but nothing is scored again: with quantized vectors, distances are to these. */
  walk(query: Float32Array, width: number): number {
    const wanted = Math.min(width, this.count)
    return this.#search(query, { k: wanted, ef: wanted, rerank: 0 })
  }

  /** The numbers to call the kernel with: a beam wide enough for all that is wanted, and no wider than the index. */
  beamFor(k: number, ef: number, rerank?: number): Beam {
    const { quantized, count } = this.memory
    const scored = quantized === undefined ? 0 : Math.max(k, rerank ?? defaultRerank(quantized.quantization, k, ef))
    return { k: Math.min(k, count), ef: Math.min(Math.max(k, ef, scored), count), rerank: scored }
  }

  /**
   * The nearest k of the given nodes, which ascend, by comparing every one: fills `nodes` and `distances` as `search`
   * does. Returns how many.
   */
  scan(query: Float32Array, nodes: Iterable<number>, k: number): number {
    this.memory.setQuery(query)
    const room = Math.min(k, this.count)
    this.#makeRoom(room)
    const chunk = new Uint32Array(2 * this.m)
    let [pending, found] = [0, 0]
    for (const node of nodes) {
      chunk[pending++] = node
      if (pending < chunk.length) continue
      found = this.#scanChunk(chunk, found, room)
      pending = 0
    }
    return pending === 0 ? found : this.#scanChunk(chunk.subarray(0, pending), found, room)
  }

  /** Compares every one of the nodes: `take` is called with each and its distance, in their order. */
  compare(query: Float32Array, nodes: Iterable<number>, take: (node: number, distance: number) => void): void {
    this.memory.setQuery(query)
    const chunk = new Uint32Array(2 * this.m)
    const taken = (length: number): void => {
      const distances = this.#distancesTo(chunk.subarray(0, length)).slice()
      for (let i = 0; i < length; i++) take(chunk[i], Number.isNaN(distances[i]) ? Infinity : distances[i])
    }
    let pending = 0
    for (const node of nodes) {
      chunk[pending++] = node
      if (pending < chunk.length) continue
      taken(pending)
      pending = 0
    }
    if (pending > 0) taken(pending)
  }

  #search(query: Float32Array, { k, ef, rerank }: Beam): number {
    if (ef === 0) return 0
    const { memory } = this
    memory.prepare(ef)
    memory.setQuery(query)
    this.#makeRoom(k)
    const found = memory.kernel.fn.search(memory.context, k, ef, rerank)
    const { beamWords, beamFloats } = memory
    for (let i = 0; i < found; i++) {
      this.nodes[i] = beamWords[2 * i]
      this.distances[i] = beamFloats[2 * i + 1]
    }
    return found
  }

  #scanChunk(chunk: Uint32Array, foundBefore: number, room: number): number {
    const computed = this.#distancesTo(chunk)
    let found = foundBefore
    for (let i = 0; i < chunk.length; i++) {
      const distance = Number.isNaN(computed[i]) ? Infinity : computed[i]
      if (found === room && distance >= this.distances[found - 1]) continue
      // After equal distances: nodes ascend, so theirs are lower.
      let at = found < room ? found++ : found - 1
      for (; at > 0 && this.distances[at - 1] > distance; at--) {
        this.nodes[at] = this.nodes[at - 1]
        this.distances[at] = this.distances[at - 1]
      }
      this.nodes[at] = chunk[i]
      this.distances[at] = distance
    }
    return found
  }

  /** Of the query that is set. Valid until the next call. */
  #distancesTo(chunk: Uint32Array): Float32Array {
    const { kernel, rows, context, scratch } = this.memory
    kernel.u32(scratch.ids, chunk.length).set(chunk)
    rows.loadOnDemand()
    kernel.fn.searchScan(context, chunk.length)
    return kernel.f32(scratch.distances, chunk.length)
  }

  /** Results take at least this many slots from now on. */
  #makeRoom(slots: number): void {
    if (slots <= this.nodes.length) return
    this.nodes = new Uint32Array(slots)
    this.distances = new Float32Array(slots)
  }
}
