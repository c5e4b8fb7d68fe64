import type { Kernel } from '../../../kernel/kernel.js'
import { readGrid, type GridStore } from '../../rows/grid-store.js'
import { detached } from '../../engines/shard-engine.js'
import { buildGraph } from './build-graph.js'
import type { GraphTask } from './graph-task.js'
import { pruneGraph } from './prune-graph.js'
import { gridOps } from '../../rows/grid-ops.js'

/** Links one upper level that fits one shard. */
export interface UpperTask extends GraphTask {
  /** The level's nodes, ascending. */
  readonly nodes: Uint32Array
  readonly grid: GridStore
}

export interface UpperResult {
  /** Rows of `[count][m x index into nodes]`. */
  readonly links: Uint32Array
}

/** The same builder as level 0, on the sample, pruned to M links. */
export async function linkUpperLevel(kernel: Kernel, task: UpperTask): Promise<UpperResult> {
  const { nodes, m } = task
  const ops = gridOps(kernel, task.spec)
  const count = nodes.length
  const codes = kernel.alloc(count * ops.rowBytes)
  readGrid(task.grid, nodes, kernel.u8(codes, count * ops.rowBytes))
  const candidates = detached(await buildGraph(kernel, task, codes, count))
  const graph = pruneGraph(kernel, task.spec, codes, candidates, m)
  const links = new Uint32Array(count * (1 + m))
  for (let i = 0; i < count; i++) {
    const row = graph.neighbours.subarray(graph.offsets[i], graph.offsets[i + 1])
    links[i * (1 + m)] = row.length
    links.set(row, i * (1 + m) + 1)
  }
  return { links }
}
