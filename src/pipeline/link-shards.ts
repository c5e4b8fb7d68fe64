import { linkLayerShards } from './layer/link-layer-shards.js'
import type { LinkedShards } from './layer/layer.js'
import type { AssignedNodes } from './assign-nodes.js'
import { openCheckpoints, routingDigest, type Checkpoints } from './resume/checkpoints.js'
import type { Routed } from './route.js'
import type { PlannedRun } from './run/run.js'
import { createSegments, type OpenSegments } from './segments/create-segments.js'
import { graphRowBytes } from '../plan/graph-row-bytes.js'
import { nodeByOrdinalBytes, type BuildSizes, type StageMemory } from '../plan/stage-memory.js'
import { shardOutputBytes, shardTaskBytes } from '../tasks/link/shard-task.js'

/** The shards of level 0, with the vectors segments that they filled. */
export interface BaseShards extends LinkedShards {
  readonly vectors: OpenSegments
  /** Present in a build that can be resumed. */
  readonly checkpoints: Checkpoints | undefined
}

/** Builds the graph of every shard, and writes its vectors to their segment. */
export async function linkShards(run: PlannedRun, routed: Routed, nodes: AssignedNodes): Promise<BaseShards> {
  const { quality } = routed.chosen
  const checkpoints = openCheckpoints(run, () => routingDigest(routed, nodes, quality))
  const vectors = await createSegments(run, 'vectors', nodes.layout, {
    dimensions: routed.layer.spec.dimensions,
    keepData: checkpoints !== undefined,
  })
  const shards = await linkLayerShards(run, routed, nodes, { quality, vectors, checkpoints })
  return { ...shards, vectors, checkpoints }
}

export function shardsMemory(sizes: BuildSizes): StageMemory {
  const { count, m, geometry } = sizes
  return {
    held: nodeByOrdinalBytes(sizes),
    task: shardTaskBytes(sizes),
    readsFiles: true,
    output: shardOutputBytes(sizes),
    usesQueues: true,
    usesGrid: true,
    spills: count * geometry.overlap * graphRowBytes(2 * m),
  }
}
