/**
 * The interface between the build and the algorithm that makes shard graphs. The rest of the build (routing, merge,
 * proof) is the same for every engine. test/engines/conformance.ts states what each engine must keep.
 */

import type { Kernel } from '../../kernel/kernel.js'
import type { EngineName, Quality } from '../api/report.js'

/**
 * The members of one shard. A build passes distinct members only and links copies itself (build-graph.ts). For
 * identical members an engine must give valid rows, but need not link them to other members. Rows are in the kernel
 * memory of the thread that builds, and are not copied.
 */
export interface Shard {
  /** Members, at least 1. */
  readonly count: number
  /** Components of a grid row: a multiple of 8, zero padded. */
  readonly gridDims: number
  readonly kind: 'i16' | 'f32'
  /** Address in kernel memory of `count x gridDims` components, row-major. */
  readonly grid: number
}

export interface EngineParams {
  /** Links per node on levels ≥ 1; level 0 of the finished index holds up to 2m. */
  readonly m: number
  /** Unsigned 32-bit. The same shard, parameters and seed give the same graph on any thread. */
  readonly seed: number
  readonly quality: Quality
  /** The most neighbours returned per member. */
  readonly maxDegree: number
}

/**
 * For each member candidates for its links, not pruned: nearest first, ties by lower index, without the member itself
 * and without repeats. The arrays may be views of kernel memory: they are valid until it grows, or the caller releases
 * it. Copying them out would cost 3% of a build.
 */
export interface ShardGraph {
  /** Row i is `[offsets[i], offsets[i + 1])` of the other two arrays; `count + 1` entries. */
  readonly offsets: Uint32Array
  /** Local indexes, 0..count-1. */
  readonly neighbours: Uint32Array
  /**
   * Squared l2 on the grid as a u32 bit pattern: an i32 for i16 rows, a non-negative f32 for f32 rows. Both order as
   * u32.
   */
  readonly distanceWords: Uint32Array
}

export interface ShardEngine {
  readonly name: EngineName
  /** Shards that each vector goes to. */
  readonly overlap: number
  /** The aim for the members of a shard. */
  readonly shardMembers: number
  /**
   * Builds the graph of one shard. Releases its kernel memory before it returns, but for the graph. The memory may grow,
   * which detaches views that the caller took before.
   * @throws EngineError
   */
  build(kernel: Kernel, shard: Shard, params: EngineParams): Promise<ShardGraph>
  /** Peak bytes of one worker's builds, for the plan. The grid rows in kernel memory are not counted. */
  workerBytes(members: number, gridDims: number, m: number): number
}

/** The graph in arrays of their own. */
export function detached({ offsets, neighbours, distanceWords }: ShardGraph): ShardGraph {
  return { offsets: offsets.slice(), neighbours: neighbours.slice(), distanceWords: distanceWords.slice() }
}
