import type { Kernel } from '../../../kernel/kernel.js'
import type { ShardGraph } from '../../engines/shard-engine.js'

/**
 * Groups of members with the same code. An engine links identical members only to each other: from inside a mass of them
 * no way leads out, and none in. So engines see one of each mass, and the copies are linked here.
 */
export interface DistinctMembers {
  /** Members that the engine builds on, ascending. */
  readonly members: Uint32Array
  /** For each mass its members, ascending; the first is the one the engine sees. */
  readonly masses: readonly Uint32Array[]
}

/** Fewer copies than this go to the engine as they are: they leave room for other links. */
const LEAST_MASS = 8

/** Undefined when there is no mass of copies, as nearly always. `codes`: `count` rows of `rowBytes`, a multiple of 16. */
export function findMasses(
  kernel: Kernel,
  codes: number,
  count: number,
  rowBytes: number,
): DistinctMembers | undefined {
  const mark = kernel.mark()
  const slots = 2 ** Math.ceil(Math.log2(2 * count + 1))
  const table = kernel.alloc(4 * slots)
  const firsts = kernel.alloc(4 * count)
  const distinct = kernel.alloc(4 * count)
  kernel.fn.pipnnGroup(codes, rowBytes, count, table, slots - 1, firsts, distinct)
  const found = massesOf(kernel.u32(firsts, count))
  kernel.release(mark)
  return found
}

/** `firstOf`: the lowest member with the same code. */
function massesOf(firstOf: Uint32Array): DistinctMembers | undefined {
  const sizes = new Uint32Array(firstOf.length)
  for (const first of firstOf) sizes[first]++
  const masses = new Map<number, Uint32Array>()
  sizes.forEach((size, first) => {
    if (size >= LEAST_MASS) masses.set(first, new Uint32Array(size))
  })
  if (masses.size === 0) return undefined
  const filled = new Uint32Array(firstOf.length)
  firstOf.forEach((first, member) => {
    const mass = masses.get(first)
    if (mass !== undefined) mass[filled[first]++] = member
  })
  const members = Uint32Array.from(firstOf.keys()).filter(
    (member) => firstOf[member] === member || sizes[firstOf[member]] < LEAST_MASS,
  )
  return { members, masses: [...masses.values()] }
}

/**
 * The graph of all members from the graph of the distinct ones: copies form a binary tree under the first of their mass
 * (so that k of them are found in log steps), and each also has the nearest links of the first, to get away from there.
 */
export function addCopies(graph: ShardGraph, distinct: DistinctMembers, count: number, maxDegree: number): ShardGraph {
  const { members, masses } = distinct
  const placeOf = new Map<number, { mass: Uint32Array; place: number }>()
  for (const mass of masses) mass.forEach((member, place) => placeOf.set(member, { mass, place }))
  const localOf = new Map<number, number>()
  members.forEach((member, local) => localOf.set(member, local))

  const offsets = new Uint32Array(count + 1)
  const neighbours = new Uint32Array(count * maxDegree)
  const distanceWords = new Uint32Array(count * maxDegree)
  let filled = 0
  for (let member = 0; member < count; member++) {
    const at = placeOf.get(member)
    const start = filled
    if (at !== undefined) {
      for (const relative of treeRelatives(at.place, at.mass.length)) neighbours[filled++] = at.mass[relative]
      neighbours.subarray(start, filled).sort()
    }
    const local = localOf.get(at === undefined ? member : at.mass[0]) ?? 0
    for (let i = graph.offsets[local]; i < graph.offsets[local + 1] && filled - start < maxDegree; i++) {
      neighbours[filled] = members[graph.neighbours[i]]
      distanceWords[filled++] = graph.distanceWords[i]
    }
    offsets[member + 1] = filled
  }
  return { offsets, neighbours: neighbours.slice(0, filled), distanceWords: distanceWords.slice(0, filled) }
}

/** Parent and children in a binary tree laid out as a heap. */
function treeRelatives(place: number, count: number): number[] {
  return [Math.floor((place - 1) / 2), 2 * place + 1, 2 * place + 2].filter((other) => other >= 0 && other < count)
}
