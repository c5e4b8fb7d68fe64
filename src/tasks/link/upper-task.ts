import type { Kernel } from '../../../kernel/kernel.js'
import { readGrid, type GridStore } from '../../rows/grid-store.js'
import { buildGraph } from './build-graph.js'
import type { GraphTask } from './graph-task.js'
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
  const graph = await buildGraph(kernel, task, codes, count)
  const links = new Uint32Array(count * (1 + m))
  const pointers = kernel.alloc(8 * m)
  const words = kernel.alloc(8 * m)
  const kept = kernel.alloc(16 * m)
  for (let i = 0; i < count; i++) {
    const from = graph.offsets[i]
    const degree = graph.offsets[i + 1] - from
    const neighbours = graph.neighbours.subarray(from, from + degree)
    kernel.u32(pointers, degree).set(neighbours.map((neighbour) => codes + neighbour * ops.rowBytes))
    kernel.u32(words, degree).set(graph.distanceWords.subarray(from, from + degree))
    const keptCount = ops.prune(pointers, words, degree, m, kept)
    links[i * (1 + m)] = keptCount
    kernel.u32(kept, keptCount).forEach((candidate, k) => {
      links[i * (1 + m) + 1 + k] = neighbours[candidate]
    })
  }
  return { links }
}
