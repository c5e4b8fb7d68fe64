import type { BatchRef } from '../../../spill/batch.js'
import type { Queue } from '../../../spill/queue.js'
import type { ShardGeometry } from '../../plan/shard-geometry.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import type { GridStore } from '../../rows/grid-store.js'
import type { ColumnHeader, RowKind } from '../../rows/record-layout.js'
import type { SegmentLayout } from './segment-layout.js'

/**
 * One level of the graph, as route, shards and merge process it. Level 0 has vectors; a large upper level takes the
 * same path with codes. Ordinals are positions in the layer's input.
 */
export interface LayerInput {
  /** Names its queues and files: 'base', 'level-1', … */
  readonly name: string
  readonly rowKind: RowKind
  readonly input: Queue<ColumnHeader>
  /** Ordinals are below this; those not in the layer have no node. */
  readonly ordinalCount: number
  readonly vectorCount: number
  readonly dropped: Uint8Array | undefined
  readonly spec: GridSpec
  readonly geometry: ShardGeometry
}

export interface RoutedLayer {
  readonly layer: LayerInput
  readonly shardCount: number
  readonly homes: readonly Queue<null>[]
  readonly replicas: readonly Queue<null>[]
  readonly homeCounts: Uint32Array
  readonly replicaCounts: Uint32Array
  /** Home shard by ordinal, in shared memory; numbering turns it into nodes in place. */
  readonly homeOfOrdinal: Uint32Array
  /** Number of shards that were larger than the plan allows and were split. */
  readonly splitShards: number
}

export interface NumberedLayer {
  readonly layout: SegmentLayout
  /** Node by ordinal (NO_NODE where there is none), in shared memory. */
  readonly nodeOfOrdinal: Uint32Array
}

export interface LinkedShards {
  /** Graph rows of each segment's nodes. */
  readonly rows: readonly RowsOfSegment[]
  readonly grid: GridStore
}

/** Graph rows of one segment's nodes, for merge: in a queue, or in the files of the shards. */
export interface RowsOfSegment {
  take(): Promise<readonly BatchRef<null>[]>
  /** Call this when the task that read the rows has finished. */
  done(refs: readonly BatchRef<null>[]): Promise<void>
}

export const NO_NODE = 0xffffffff
