import type { Kernel } from '../../../kernel/kernel.js'
import { engineByName } from '../../engines/engine-by-name.js'
import type { ShardGraph } from '../../engines/shard-engine.js'
import { gridOps } from '../../rows/grid-ops.js'
import { addCopies, findCopies, groupsOf, packDistinct, treeLinks, unpackDistinct } from './distinct-members.js'
import { linksInside } from './finer-graphs.js'
import type { GraphTask, MemberVectors } from './graph-task.js'

/**
 * Builds the engine's graph of the distinct members, and links members with the same code to the first of them and to
 * each other: by their vectors, where these are known and differ.
 */
export async function buildGraph(
  kernel: Kernel,
  task: GraphTask,
  codes: number,
  count: number,
  vectors?: MemberVectors,
): Promise<ShardGraph> {
  const { gridDims, kind } = task.spec
  const { rowBytes } = gridOps(kernel, task.spec)
  const engine = engineByName(task.engine)
  const maxDegree = 2 * task.m
  const params = { m: task.m, seed: task.seed, quality: task.quality, maxDegree }
  const distinct = findCopies(kernel, codes, rowBytes, count)
  if (distinct === undefined) return engine.build(kernel, { count, gridDims, kind, grid: codes }, params)
  packDistinct(kernel.u8(codes, count * rowBytes), rowBytes, distinct)
  const graph = await engine.build(kernel, { count: distinct.members.length, gridDims, kind, grid: codes }, params)
  unpackDistinct(kernel.u8(codes, count * rowBytes), rowBytes, distinct)
  const groups = groupsOf(distinct)
  const inside =
    vectors === undefined ? treeLinks : await linksInside(kernel, task, groups, { vectors, build: buildGraph })
  return addCopies(graph, distinct, { groups, maxDegree, inside })
}
