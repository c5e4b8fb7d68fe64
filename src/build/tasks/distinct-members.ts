import { crc32 } from 'node:zlib'
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

/** Undefined when there is no mass of copies, as nearly always. `codes`: rows of `rowBytes`. */
export function findMasses(codes: Uint8Array, rowBytes: number): DistinctMembers | undefined {
  const count = codes.length / rowBytes
  const row = (member: number): Uint8Array => codes.subarray(member * rowBytes, (member + 1) * rowBytes)
  const sums = Uint32Array.from({ length: count }, (_, member) => crc32(row(member)))
  const order = Uint32Array.from(sums.keys()).sort((a, b) => sums[a] - sums[b] || a - b)
  const masses: Uint32Array[] = []
  const isCopy = new Uint8Array(count)
  for (let from = 0; from < count;) {
    let to = from + 1
    while (to < count && sums[order[to]] === sums[order[from]]) to++
    if (to - from >= LEAST_MASS) {
      const first = row(order[from])
      // A checksum can agree by chance: only what equals the first is a copy of it.
      const same = order.subarray(from, to).filter((member) => Buffer.compare(row(member), first) === 0)
      if (same.length >= LEAST_MASS) {
        masses.push(same)
        for (const copy of same.subarray(1)) isCopy[copy] = 1
      }
    }
    from = to
  }
  if (masses.length === 0) return undefined
  masses.sort((a, b) => a[0] - b[0])
  return { members: Uint32Array.from(isCopy.keys()).filter((member) => isCopy[member] === 0), masses }
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
