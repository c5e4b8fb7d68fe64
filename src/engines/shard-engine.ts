/**
 * The seam between the build and the algorithm that makes shard graphs. Everything around it
 * (routing, merge, proof) is the same for every engine; test/engines/conformance.ts states what each one must keep.
 */

import type { Kernel } from '../../kernel/kernel.js'
import type { EngineName, Quality } from '../api/report.js'

/**
 * The members of one shard. A build hands over distinct members only and links copies itself (build-graph.ts). An engine
 * gives valid rows for identical members too, but need not make ways out from among them. Rows lie in
 * the kernel memory of the thread that builds: no copy is handed over.
 */
export interface Shard {
  /** Members, at least 1. */
  readonly count: number
  /** Components of a code: a multiple of 8, zero padded. */
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
  /** Neighbours returned per member at most. */
  readonly maxDegree: number
}

/** For each member its neighbours, nearest first, ties by lower index; no self, no repeats. Arrays own their buffers, so they can be transferred. */
export interface ShardGraph {
  /** Row i is `[offsets[i], offsets[i + 1])` of the other two; `count + 1` entries. */
  readonly offsets: Uint32Array
  /** Local indexes, 0..count-1. */
  readonly neighbours: Uint32Array
  /** Squared l2 in code space as a u32 bit pattern: an i32 for i16 codes, a non-negative f32 for f32 codes. Both order as u32. */
  readonly distanceWords: Uint32Array
}

export interface ShardEngine {
  readonly name: EngineName
  /** Shards each vector goes to. */
  readonly overlap: number
  /** Members per shard to aim at. */
  readonly shardMembers: number
  /**
   * Builds the graph of one shard. Kernel memory it allocates is released before it returns; views taken by the caller
   * before the call may be detached by growth.
   * @throws EngineError
   */
  build(kernel: Kernel, shard: Shard, params: EngineParams): Promise<ShardGraph>
  /** Peak bytes of one worker's builds beyond the codes in kernel memory, for the plan. */
  workerBytes(members: number, gridDims: number, m: number): number
}
