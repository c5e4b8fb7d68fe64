/**
 * Members that the grid does not tell apart, though their vectors differ: a cluster that is tiny beside the spread of
 * all data. Each such group gets a grid of its own, centred on the group and scaled to it, and a graph on that grid.
 */
import type { Kernel } from '../../../kernel/kernel.js'
import { detached, type ShardGraph } from '../../engines/shard-engine.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'
import { makeGridSpec, type GridSpec } from '../../rows/grid-spec.js'
import { treeLinks, type Groups, type LinksInside } from './distinct-members.js'
import type { BuildGraph, GraphTask, MemberVectors } from './graph-task.js'
import { pruneGraph } from './prune-graph.js'

/** Links inside of groups: those of a finer graph, with a quarter of the places of a row, or those of a tree. */
export async function linksInside(
  kernel: Kernel,
  task: GraphTask,
  { starts, order }: Groups,
  { vectors, build }: { readonly vectors: MemberVectors; readonly build: BuildGraph },
): Promise<LinksInside> {
  const graphs = new Map<number, ShardGraph>()
  for (let group = 0; group + 1 < starts.length; group++) {
    const members = order.subarray(starts[group], starts[group + 1])
    const first = members.findIndex((member) => member >= vectors.count)
    const homes = first < 0 ? members : members.subarray(0, first)
    // A tree links three members as well as a graph does.
    if (homes.length <= 3 || homes.length >= vectors.below) continue
    const rows = vectors.read(homes)
    if (!areEqual(rows, task.spec.dimensions)) graphs.set(group, await finerGraph(kernel, task, rows, build))
  }
  return (group, place, size) => {
    const graph = graphs.get(group)
    if (graph === undefined) return treeLinks(group, place, size)
    const count = graph.offsets.length - 1
    // Replicas have their links inside where they are homes; here they only lead to the first member.
    if (place >= count) return [0]
    const down = treeLinks(group, place, count).slice(place === 0 ? 0 : 1)
    // The first member keeps its places for links to the outside: it is the way in and out.
    if (place === 0) return down
    const near = graph.neighbours.subarray(graph.offsets[place], graph.offsets[place + 1])
    // By the tree every member is reached, which near links alone do not promise.
    return [...near, ...down.filter((child) => !near.includes(child))]
  }
}

const ENCODED_ROWS = 256

function areEqual(rows: Float32Array, dimensions: number): boolean {
  for (let at = dimensions; at < rows.length; at++) if (rows[at] !== rows[at - dimensions]) return false
  return true
}

/** In a group, near by l2 is near by any metric. */
async function finerGraph(kernel: Kernel, task: GraphTask, rows: Float32Array, build: BuildGraph): Promise<ShardGraph> {
  const { dimensions } = task.spec
  const count = rows.length / dimensions
  const spec = makeGridSpec('l2', dimensions, { rows, count }, 0)
  const mark = kernel.mark()
  const codes = kernel.alloc(count * gridOps(kernel, spec).rowBytes)
  encode(kernel, spec, rows, codes)
  const m = Math.max(2, task.m >> 2)
  const candidates = await build(kernel, { ...task, spec, m }, codes, count, {
    count,
    below: count,
    read: (members) => rowsOf(rows, dimensions, members),
  })
  const graph = pruneGraph(kernel, spec, codes, detached(candidates), 2 * m)
  kernel.release(mark)
  return graph
}

/** In chunks: a group may be a whole shard. */
function encode(kernel: Kernel, spec: GridSpec, rows: Float32Array, codes: number): void {
  const { dimensions } = spec
  const { rowBytes } = gridOps(kernel, spec)
  const count = rows.length / dimensions
  const chunk = Math.min(count, ENCODED_ROWS)
  const mark = kernel.mark()
  const encodeRows = gridEncoder(kernel, spec)
  const from = kernel.alloc(4 * chunk * dimensions)
  for (let done = 0; done < count; done += chunk) {
    const some = rows.subarray(done * dimensions, (done + chunk) * dimensions)
    kernel.f32(from, some.length).set(some)
    encodeRows(from, some.length / dimensions, codes + done * rowBytes)
  }
  kernel.release(mark)
}

/** Some of row-major rows. */
export function rowsOf(rows: Float32Array, dimensions: number, members: Uint32Array): Float32Array {
  const some = new Float32Array(members.length * dimensions)
  members.forEach((member, i) => {
    some.set(rows.subarray(member * dimensions, (member + 1) * dimensions), i * dimensions)
  })
  return some
}
