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

/** The members by group, ascending in each: group g, that of `members[g]`, is `order[starts[g] .. starts[g + 1])`. */
export interface Groups {
  readonly starts: Uint32Array
  readonly order: Uint32Array
}

export function groupsOf(distinct: DistinctMembers): Groups {
  const { members, firstOf } = distinct
  const localOf = localsOf(distinct)
  const starts = new Uint32Array(members.length + 1)
  for (const first of firstOf) starts[localOf[first] + 1]++
  for (let group = 0; group < members.length; group++) starts[group + 1] += starts[group]
  const order = new Uint32Array(firstOf.length)
  const filled = starts.slice()
  firstOf.forEach((first, member) => (order[filled[localOf[first]]++] = member))
  return { starts, order }
}

/** The links of one member of a group to others of it. Members are places in the group. */
export type LinksInside = (group: number, place: number, size: number) => ArrayLike<number>

/** A binary tree under the first member, so that k of them are found in log steps. */
export function treeLinks(_group: number, place: number, size: number): number[] {
  const links = place > 0 ? [(place - 1) >> 1] : []
  for (let child = 2 * place + 1; child <= 2 * place + 2 && child < size; child++) links.push(child)
  return links
}

const NONE: ArrayLike<number> = []

export interface CopyLinks {
  readonly groups: Groups
  readonly maxDegree: number
  readonly inside: LinksInside
  /** The graph of the distinct members, with rows of their links. */
  readonly pruned: ShardGraph
}

/**
 * Extends the graph of the distinct members to all members: each member of a group gets links to others of it, and ways
 * out: the first one its own links, the others some of its candidates each, from near to far, so that a group leads to
 * many. No other member links to a copy, so masses of copies crowd out nothing. maxDegree is at least 3, and no member
 * has that many links inside.
 */
export function addCopies(
  graph: ShardGraph,
  distinct: DistinctMembers,
  { groups, maxDegree, inside, pruned }: CopyLinks,
): ShardGraph {
  const { members, firstOf } = distinct
  const { starts, order } = groups
  const count = firstOf.length
  const localOf = localsOf(distinct)
  const groupOf = Uint32Array.from(firstOf, (first) => localOf[first])
  const placeOf = new Uint32Array(count)
  order.forEach((member, at) => (placeOf[member] = at - starts[groupOf[member]]))
  const linksOf = (member: number): ArrayLike<number> => {
    const group = groupOf[member]
    const size = starts[group + 1] - starts[group]
    return size === 1 ? NONE : inside(group, placeOf[member], size)
  }

  /** The places of a member's ways out in a row of its group: every `step`-th from `from` on, `size` of them. */
  const waysOut = (member: number, places: number) => {
    const group = groupOf[member]
    const place = placeOf[member]
    const isAlone = starts[group + 1] - starts[group] === 1
    const from = isAlone || place > 0 ? graph : pruned
    const degree = from.offsets[group + 1] - from.offsets[group]
    const step = place > 0 ? Math.max(1, Math.ceil(degree / places)) : 1
    const first = place % step
    return { from, first, step, size: Math.min(places, Math.ceil((degree - first) / step)) }
  }

  const offsets = new Uint32Array(count + 1)
  for (let member = 0; member < count; member++) {
    const insideCount = linksOf(member).length
    offsets[member + 1] = offsets[member] + insideCount + waysOut(member, maxDegree - insideCount).size
  }
  const neighbours = new Uint32Array(offsets[count])
  const distanceWords = new Uint32Array(offsets[count])
  for (let member = 0; member < count; member++) {
    const group = groupOf[member]
    const links = linksOf(member)
    let filled = offsets[member]
    for (let i = 0; i < links.length; i++) neighbours[filled++] = order[starts[group] + links[i]]
    let equal = filled
    const { from, first, step } = waysOut(member, maxDegree - links.length)
    for (let i = from.offsets[group] + first; filled < offsets[member + 1]; i += step) {
      neighbours[filled] = members[from.neighbours[i]]
      distanceWords[filled] = from.distanceWords[i]
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
