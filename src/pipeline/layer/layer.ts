import type { BatchRef } from '../../../spill/batch.js'
import type { DiskBackedQueue } from '../../../spill/disk-backed-queue.js'
import type { ShardGeometry } from '../../plan/shard-geometry.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import type { GridStore } from '../../rows/grid-store.js'
import type { ColumnHeader, RowKind } from '../../rows/record-layout.js'
import type { SegmentLayout } from './segment-layout.js'

/**
 * One level of the graph on its way through route, shards and merge. Level 0 carries vectors; a large upper level goes
 * the same way with codes. Ordinals are positions in the layer's input.
 */
export interface LayerInput {
  /** Names its queues and files: 'base', 'level-1', … */
  readonly name: string
  readonly rowKind: RowKind
  readonly input: DiskBackedQueue<ColumnHeader>
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
  readonly homes: readonly DiskBackedQueue<null>[]
  readonly replicas: readonly DiskBackedQueue<null>[]
  readonly homeCounts: Uint32Array
  readonly replicaCounts: Uint32Array
  /** Home shard by ordinal, in shared memory; numbering turns it into nodes in place. */
  readonly homeOfOrdinal: Uint32Array
  /** Shards that came out larger than the plan allows and are now several. */
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

/** Graph rows of one segment's nodes on their way to merge: in a queue, or in the files of the shards. */
export interface RowsOfSegment {
  take(): Promise<readonly BatchRef<null>[]>
  /** The task that had them is done. */
  done(refs: readonly BatchRef<null>[]): Promise<void>
}

export const NO_NODE = 0xffffffff
