import type { Kernel } from '../../../kernel/kernel.js'
import type { EngineName, Quality } from '../../api/report.js'
import type { ShardGraph } from '../../engines/shard-engine.js'
import type { GridSpec } from '../../rows/grid-spec.js'

/** What determines a graph besides its members. */
export interface GraphTask {
  readonly spec: GridSpec
  readonly engine: EngineName
  readonly quality: Quality
  readonly m: number
  readonly seed: number
}

/** The vectors of the first members of a shard, its homes. Of replicas only grid rows are known. */
export interface MemberVectors {
  readonly count: number
  /** Only groups with fewer members than this get a finer grid, so that finer grids come to an end. */
  readonly below: number
  /** Row-major float32 rows of ascending members. */
  read(members: Uint32Array): Float32Array
}

/** Builds the graph of `count` members, whose grid rows are at the address `codes`. */
export type BuildGraph = (
  kernel: Kernel,
  task: GraphTask,
  codes: number,
  count: number,
  vectors?: MemberVectors,
) => Promise<ShardGraph>
