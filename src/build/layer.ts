import type { BatchRef, DiskBackedQueue } from '../../spill/index.js'
import type { ShardGeometry } from '../memory/shard-geometry.js'
import type { PlannedContext } from './build-context.js'
import type { CodeSpec } from './code-spec.js'
import type { CodeStore } from './code-store.js'
import type { Ingested } from './ingest.js'
import type { Sample } from './reservoir-sample.js'
import type { ColumnHeader, RowKind } from './layer-records.js'
import type { SegmentLayout } from './segment-layout.js'
import type { LeadersTask } from './tasks/leaders-task.js'

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
  readonly spec: CodeSpec
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

export interface BuiltShards {
  /** Graph rows of each segment's nodes. */
  readonly rows: readonly SegmentRows[]
  readonly codes: CodeStore
}

/** Graph rows of one segment's nodes on their way to merge: in a queue, or in the files of the shards. */
export interface SegmentRows {
  take(): Promise<readonly BatchRef<null>[]>
  /** The task that had them is done. */
  done(refs: readonly BatchRef<null>[]): Promise<void>
}

export const NO_NODE = 0xffffffff

/** Level 0: all vectors. */
export function baseLayer(context: PlannedContext, ingested: Ingested, spec: CodeSpec): LayerInput {
  if (spec.kind === 'f32') {
    context.log.event(
      'f32-codes',
      'a few vectors are so much longer than the rest that 16-bit codes would be too coarse: this build computes on float32, which is slower',
    )
  }
  return {
    name: 'base',
    rowKind: 'vectors',
    input: ingested.queue,
    ordinalCount: ingested.ordinalCount,
    vectorCount: ingested.count,
    dropped: ingested.ids.dropped,
    spec,
    geometry: context.plan.geometry,
  }
}

/** The reservoir sample as the leaders task takes it. */
export function sampleVectors(sample: Sample): LeadersTask['sample'] {
  const { buffer, byteOffset, byteLength } = sample.rows
  return { kind: 'vectors', bytes: new Uint8Array(buffer, byteOffset, byteLength), count: sample.count }
}
