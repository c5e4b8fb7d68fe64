import type { Kernel } from '../../../kernel/kernel.js'
import type { ShardGraph } from '../../engines/shard-engine.js'

/**
 * Groups of members with the same code. Distances cannot distinguish them, so engines would link them only to each
 * other, with no path in or out. Engines get one member of each group, and the copies are linked here.
 */
export interface DistinctMembers {
  /** Members that the engine links, ascending: the first of each code. */
  readonly members: Uint32Array
  /** For each member, the first member with its code. */
  readonly firstOf: Uint32Array
}

/** Undefined when no two members have the same code. `codes`: address of `count` rows of `rowBytes`. */
export function findCopies(
  kernel: Kernel,
  codes: number,
  rowBytes: number,
  count: number,
): DistinctMembers | undefined {
  const mark = kernel.mark()
  const slots = 2 ** Math.ceil(Math.log2(2 * count + 2))
  const firstOf = kernel.alloc(4 * count)
  const members = kernel.alloc(4 * count)
  const table = kernel.alloc(4 * slots)
  const found = kernel.fn.groupRows(codes, rowBytes, count, table, slots - 1, firstOf, members)
  const distinct =
    found === count
      ? undefined
      : { members: kernel.u32(members, found).slice(), firstOf: kernel.u32(firstOf, count).slice() }
  kernel.release(mark)
  return distinct
}

/** Moves the rows of the distinct members to the front, in place. */
export function packDistinct(rows: Uint8Array, rowBytes: number, { members }: DistinctMembers): void {
  members.forEach((member, local) => {
    if (member !== local) rows.copyWithin(local * rowBytes, member * rowBytes, (member + 1) * rowBytes)
  })
}

/** Undoes packDistinct: copies get the bytes of the first member with their code. */
export function unpackDistinct(rows: Uint8Array, rowBytes: number, distinct: DistinctMembers): void {
  const { firstOf } = distinct
  const localOf = localsOf(distinct)
  // Go backwards, so that no row is overwritten before it has been read.
  for (let member = firstOf.length - 1; member >= 0; member--) {
    const local = localOf[firstOf[member]]
    if (member !== local) rows.copyWithin(member * rowBytes, local * rowBytes, (local + 1) * rowBytes)
  }
}

/**
 * Extends the graph of the distinct members to all members. Copies form a binary tree under the first one, so that k of
 * them are found in log steps. Each copy also has the nearest links of the first one, as a way out of the tree. No
 * other member links to a copy, so masses of copies crowd out nothing. maxDegree is at least 3.
 */
export function addCopies(graph: ShardGraph, distinct: DistinctMembers, maxDegree: number): ShardGraph {
  const { members, firstOf } = distinct
  const count = firstOf.length
  const localOf = localsOf(distinct)
  const groupOf = (member: number): number => localOf[firstOf[member]]

  // Groups are contiguous, and members ascend in each.
  const starts = new Uint32Array(members.length + 1)
  for (let member = 0; member < count; member++) starts[groupOf(member) + 1]++
  for (let group = 0; group < members.length; group++) starts[group + 1] += starts[group]
  const order = new Uint32Array(count)
  const placeOf = new Uint32Array(count)
  const sizes = new Uint32Array(members.length)
  for (let member = 0; member < count; member++) {
    const group = groupOf(member)
    placeOf[member] = sizes[group]
    order[starts[group] + sizes[group]++] = member
  }

  const offsets = new Uint32Array(count + 1)
  for (let member = 0; member < count; member++) {
    const group = groupOf(member)
    const place = placeOf[member]
    const children = Math.max(0, Math.min(2, sizes[group] - 2 * place - 1))
    const degree = graph.offsets[group + 1] - graph.offsets[group]
    offsets[member + 1] = offsets[member] + Math.min(maxDegree, (place > 0 ? 1 : 0) + children + degree)
  }
  const neighbours = new Uint32Array(offsets[count])
  const distanceWords = new Uint32Array(offsets[count])
  for (let member = 0; member < count; member++) {
    const group = groupOf(member)
    const place = placeOf[member]
    let filled = offsets[member]
    if (place > 0) neighbours[filled++] = order[starts[group] + ((place - 1) >> 1)]
    for (let child = 2 * place + 1; child <= 2 * place + 2 && child < sizes[group]; child++) {
      neighbours[filled++] = order[starts[group] + child]
    }
    let equal = filled
    for (let i = graph.offsets[group]; filled < offsets[member + 1]; i++) {
      neighbours[filled] = members[graph.neighbours[i]]
      distanceWords[filled] = graph.distanceWords[i]
      if (distanceWords[filled++] === 0) equal = filled
    }
    // Ties are ordered by index. Different codes can be at distance 0 too, where one has 0 and the other -0.
    neighbours.subarray(offsets[member], equal).sort()
  }
  return { offsets, neighbours, distanceWords }
}

function localsOf({ members, firstOf }: DistinctMembers): Uint32Array {
  const localOf = new Uint32Array(firstOf.length)
  members.forEach((member, local) => (localOf[member] = local))
  return localOf
}
