import type { Kernel } from '../../../kernel/kernel.js'
import type { ShardGraph } from '../../engines/shard-engine.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { gridOps } from '../../rows/grid-ops.js'

/**
 * The links of a graph that is not merged with others: of each row's candidates at most `maxDegree`, as merge prunes them.
 * `codes`: address of the grid rows of all members. Rows of members that are not `chosen` stay as they are. The
 * graph must not lie in kernel memory, which may grow here.
 */
export function pruneGraph(
  kernel: Kernel,
  spec: GridSpec,
  codes: number,
  { offsets, neighbours, distanceWords }: ShardGraph,
  maxDegree: number,
  chosen: (member: number) => boolean = () => true,
): ShardGraph {
  const ops = gridOps(kernel, spec)
  const count = offsets.length - 1
  const widest = offsets.reduce((most, end, i) => (i === 0 ? 0 : Math.max(most, end - offsets[i - 1])), 0)
  const mark = kernel.mark()
  const pointers = kernel.alloc(4 * widest)
  const words = kernel.alloc(4 * widest)
  const kept = kernel.alloc(8 * widest)
  const pruned = {
    offsets: new Uint32Array(count + 1),
    neighbours: new Uint32Array(neighbours.length),
    distanceWords: new Uint32Array(neighbours.length),
  }
  let end = 0
  for (let member = 0; member < count; member++) {
    const from = offsets[member]
    const degree = offsets[member + 1] - from
    if (!chosen(member)) {
      pruned.neighbours.set(neighbours.subarray(from, from + degree), end)
      pruned.distanceWords.set(distanceWords.subarray(from, from + degree), end)
      end += degree
      pruned.offsets[member + 1] = end
      continue
    }
    const rowPointers = kernel.u32(pointers, degree)
    for (let i = 0; i < degree; i++) rowPointers[i] = codes + neighbours[from + i] * ops.rowBytes
    kernel.u32(words, degree).set(distanceWords.subarray(from, from + degree))
    for (const candidate of kernel.u32(kept, ops.prune(pointers, words, degree, maxDegree, kept))) {
      pruned.neighbours[end] = neighbours[from + candidate]
      pruned.distanceWords[end++] = distanceWords[from + candidate]
    }
    pruned.offsets[member + 1] = end
  }
  kernel.release(mark)
  return {
    offsets: pruned.offsets,
    neighbours: pruned.neighbours.subarray(0, end),
    distanceWords: pruned.distanceWords.subarray(0, end),
  }
}
