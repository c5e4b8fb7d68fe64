import type { Kernel } from '../../../kernel/kernel.js'
import { engineByName } from '../../engines/engine-by-name.js'
import { detached, type ShardGraph } from '../../engines/shard-engine.js'
import { gridOps } from '../../rows/grid-ops.js'
import { addCopies, findCopies, groupsOf, packDistinct, treeLinks, unpackDistinct } from './distinct-members.js'
import { linksInside } from './finer-graphs.js'
import type { GraphTask, MemberVectors } from './graph-task.js'
import { pruneGraph } from './prune-graph.js'

/**
 * Builds the engine's graph of the distinct members, and links members with the same code to the first of them and to
 * each other: by their vectors, where these are known and differ. The graph may lie in kernel memory, as an engine's.
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
  const mark = kernel.mark()
  const members = { count: distinct.members.length, gridDims, kind, grid: codes }
  const groups = groupsOf(distinct)
  // Links to the inside take places of a row with copies: its candidates are pruned, or the farthest ones would go.
  const hasCopies = (group: number): boolean => groups.starts[group + 1] - groups.starts[group] > 1
  const graph = detached(await engine.build(kernel, members, params))
  const pruned = pruneGraph(kernel, task.spec, codes, graph, maxDegree, hasCopies)
  kernel.release(mark)
  unpackDistinct(kernel.u8(codes, count * rowBytes), rowBytes, distinct)
  const inside =
    vectors === undefined ? treeLinks : await linksInside(kernel, task, groups, { vectors, build: buildGraph })
  return addCopies(graph, distinct, { groups, maxDegree, inside, pruned })
}
