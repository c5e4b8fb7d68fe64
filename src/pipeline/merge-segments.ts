import type { AssignedNodes } from './assign-nodes.js'
import type { RoutedLayer } from './layer/layer.js'
import { mergeLayer } from './layer/merge-layer.js'
import type { BaseShards } from './link-shards.js'
import type { PlannedRun } from './run/run.js'
import { findLongestRows, longestBytes } from './find-longest-rows.js'
import { createSegments, type OpenSegments } from './segments/create-segments.js'
import { nodeByOrdinalBytes, type BuildSizes, type StageMemory } from '../plan/stage-memory.js'
import { longestTaskBytes } from '../tasks/link/longest-task.js'
import { mergeTaskBytes } from '../tasks/link/merge-task.js'

export interface MergedLinks {
  readonly links: OpenSegments
  /** The number of links of all nodes. */
  readonly degreeSum: number
}

/** Unites the rows of each node into its final links on level 0. */
export async function mergeSegments(
  run: PlannedRun,
  { layer }: RoutedLayer,
  { layout }: AssignedNodes,
  shards: BaseShards,
): Promise<MergedLinks> {
  const { m } = run.options
  const { checkpoints } = shards
  const { spec, name } = layer
  const links = await createSegments(run, 'links', layout, {
    dimensions: spec.dimensions,
    keepData: checkpoints !== undefined,
  })
  const longestRows = run.options.metric === 'ip' ? await findLongestRows(run, shards.vectors.files, spec) : undefined
  const longest = longestRows && { longestRows, vectors: shards.vectors.files }
  const shape = { name, spec, layout, maxDegree: 2 * m, longest }
  return { links, degreeSum: await mergeLayer(run, shape, shards, { kind: 'segments', ...links }, checkpoints) }
}

export function mergeMemory(sizes: BuildSizes): StageMemory {
  return {
    held: nodeByOrdinalBytes(sizes) + longestBytes(sizes),
    task: Math.max(mergeTaskBytes(sizes), longestTaskBytes(sizes)),
    readsFiles: true,
    usesQueues: true,
    usesGrid: true,
  }
}
