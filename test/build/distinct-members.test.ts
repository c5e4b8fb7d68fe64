import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { addCopies, findMasses, type DistinctMembers } from '../../src/build/tasks/distinct-members.js'
import type { ShardGraph } from '../../src/engines/shard-engine.js'

const ROW_BYTES = 16
const kernel = Kernel.create()

/** Row i holds the number values[i] in every byte. */
function codesOf(values: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: values.length * ROW_BYTES }, (_, at) => values[Math.floor(at / ROW_BYTES)])
}

function massesAmong(values: readonly number[]): DistinctMembers | undefined {
  const bytes = codesOf(values)
  const mark = kernel.mark()
  const codes = kernel.alloc(bytes.length)
  kernel.u8(codes, bytes.length).set(bytes)
  const found = findMasses(kernel, codes, values.length, ROW_BYTES)
  kernel.release(mark)
  return found
}

/** Each of `count` members linked to the next two. */
function ring(count: number): ShardGraph {
  const degree = Math.min(2, count - 1)
  return {
    offsets: Uint32Array.from({ length: count + 1 }, (_, i) => i * degree),
    neighbours: Uint32Array.from({ length: count * degree }, (_, at) => (Math.floor(at / 2) + 1 + (at % 2)) % count),
    distanceWords: Uint32Array.from({ length: count * degree }, (_, at) => 1 + (at % 2)),
  }
}

const rowOf = (graph: ShardGraph, member: number): number[] =>
  Array.from(graph.neighbours.subarray(graph.offsets[member], graph.offsets[member + 1]))

describe('findMasses', () => {
  it('finds nothing where few members are alike', () => {
    expect(massesAmong(Array.from({ length: 100 }, (_, i) => Math.floor(i / 7)))).toBeUndefined()
  })

  it('finds every mass of eight and more, and leaves the engine one of each', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 200 }), (values) => {
        const found = massesAmong(values)
        const groups = new Map<number, number[]>()
        values.forEach((value, member) => groups.set(value, [...(groups.get(value) ?? []), member]))
        const large = [...groups.values()].filter((group) => group.length >= 8).sort((a, b) => a[0] - b[0])
        expect((found?.masses ?? []).map((mass) => Array.from(mass))).toEqual(large)
        if (found === undefined) return
        const copies = new Set(large.flatMap((group) => group.slice(1)))
        expect(Array.from(found.members)).toEqual(values.map((_, i) => i).filter((member) => !copies.has(member)))
      }),
    )
  })
})

describe('addCopies', () => {
  const values = Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? 200 : i % 100))
  const distinct = massesAmong(values)
  if (distinct === undefined) throw new Error('there is a mass')
  const graph = addCopies(ring(distinct.members.length), distinct, values.length, 6)

  it('gives every member valid links: sorted by distance, no self, no repeats, within the degree', () => {
    for (let member = 0; member < values.length; member++) {
      const row = rowOf(graph, member)
      expect(row.length).toBeLessThanOrEqual(6)
      expect(new Set(row).size).toBe(row.length)
      expect(row).not.toContain(member)
      const words = graph.distanceWords.subarray(graph.offsets[member], graph.offsets[member + 1])
      words.forEach((word, i) => expect(word).toBeGreaterThanOrEqual(i === 0 ? 0 : words[i - 1]))
      row.forEach((other, i) => expect(words[i] === 0).toBe(values[other] === values[member]))
    }
  })

  it('lets a walk in and out of the mass', () => {
    const mass = Array.from(distinct.masses[0])
    for (const start of [mass[0], mass[mass.length - 1], 1]) {
      const seen = new Set([start])
      const open = [start]
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        for (const next of rowOf(graph, at)) if (!seen.has(next)) open.push(...(seen.add(next), [next]))
      }
      expect(seen.size).toBe(values.length)
    }
  })
})
