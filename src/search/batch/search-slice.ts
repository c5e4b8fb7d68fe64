import { Kernel } from '../../../kernel/kernel.js'
import { FarSearch } from '../core/far/far-search.js'
import type { ThreadContext } from '../core/thread-context.js'

/** A thread's part of a batch of searches, in memory that it shares with the other threads. */
export interface SearchSlice {
  readonly memory: WebAssembly.Memory
  readonly context: ThreadContext
  readonly dimensions: number
  /** The longest row of links. */
  readonly maxLinks: number
  readonly k: number
  readonly ef: number
  /** How many of the best quantized vectors are scored again on their vectors; 0 without quantization. */
  readonly rerank: number
  readonly queryCount: number
  /** Row-major f32, checked and at unit length for cosine. In shared memory, as are all arrays below. */
  readonly queries: Float32Array
  /** One word: the first query that no thread has taken. */
  readonly next: Int32Array
  /** k per query, nearest first, of which `found` are filled. */
  readonly nodes: Uint32Array
  readonly distances: Float32Array
  readonly found: Uint32Array
}

/** Queries taken at a time: few enough that threads end together, many enough that they seldom contend. */
const TAKEN_QUERIES = 8

/** What the thread keeps from slice to slice: kernels over the shared memories. */
let held: (Pick<SearchSlice, 'memory' | 'context'> & ThreadKernels) | undefined

interface ThreadKernels {
  readonly kernel: Kernel
  readonly far: FarSearch | undefined
}

/** Takes queries until none is left. */
export function searchSlice(slice: SearchSlice): void {
  const { context, dimensions, k, ef, rerank, queryCount, queries, next, nodes, distances, found } = slice
  const { kernel, far } = heldFor(slice)
  const { fn } = kernel
  const query = kernel.f32(context.query, dimensions)
  const beamWords = kernel.u32(context.beam, 2 * context.slots)
  const beamFloats = kernel.f32(context.beam, 2 * context.slots)
  for (let first = take(next); first < queryCount; first = take(next)) {
    for (let at = first; at < Math.min(first + TAKEN_QUERIES, queryCount); at++) {
      query.set(queries.subarray(at * dimensions, (at + 1) * dimensions))
      far?.newQuery()
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

function heldFor({ memory, context, dimensions, maxLinks }: SearchSlice): ThreadKernels {
  if (held?.memory.buffer === memory.buffer && held.context.context === context.context) return held
  const kernel = Kernel.over(memory)
  const near = { kernel, context: context.context, dimensions, maxLinks }
  const far = context.far.length === 0 ? undefined : new FarSearch(near, context.far)
  if (far !== undefined) kernel.far = far
  held = { memory, context, kernel, far }
  return held
}
