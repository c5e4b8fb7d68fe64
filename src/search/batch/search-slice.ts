/** A part of a batch of searches, in a worker thread, over a memory that it shares with others. */
import { Kernel } from '../../../kernel/kernel.js'
import type { ThreadContext } from '../core/search-core.js'

export interface SearchSlice {
  readonly memory: WebAssembly.Memory
  readonly context: ThreadContext
  readonly dimensions: number
  readonly k: number
  readonly ef: number
  /** How many of the best by their codes are scored again; 0 without codes. */
  readonly rerank: number
  readonly queryCount: number
  /** Row-major f32, checked and at unit length for cosine. Shared, as are all that follow. */
  readonly queries: Float32Array
  /** One word: the next query that no thread has taken. */
  readonly next: Int32Array
  /** k per query, nearest first; `found` says how many of them there are. */
  readonly nodes: Uint32Array
  readonly distances: Float32Array
  readonly found: Uint32Array
}

/** Queries taken at a time: few enough that threads end together, many enough that they seldom meet. */
const TAKEN_QUERIES = 8

let held: { readonly memory: WebAssembly.Memory; readonly kernel: Kernel } | undefined

/** Takes queries until none is left. */
export function searchSlice(slice: SearchSlice): void {
  const { context, dimensions, k, ef, rerank, queryCount, queries, next, nodes, distances, found } = slice
  if (held?.memory.buffer !== slice.memory.buffer) held = { memory: slice.memory, kernel: Kernel.over(slice.memory) }
  const { fn } = held.kernel
  const query = held.kernel.f32(context.query, dimensions)
  const beamWords = held.kernel.u32(context.beam, 2 * context.slots)
  const beamFloats = held.kernel.f32(context.beam, 2 * context.slots)
  for (let first = take(next); first < queryCount; first = take(next)) {
    for (let at = first; at < Math.min(first + TAKEN_QUERIES, queryCount); at++) {
      query.set(queries.subarray(at * dimensions, (at + 1) * dimensions))
      const count = fn.search(context.context, k, ef, rerank)
      found[at] = count
      for (let i = 0; i < count; i++) {
        nodes[at * k + i] = beamWords[2 * i]
        distances[at * k + i] = beamFloats[2 * i + 1]
      }
    }
  }
}

function take(next: Int32Array): number {
  return Atomics.add(next, 0, TAKEN_QUERIES)
}
