import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import {
  addCopies,
  findCopies,
  groupsOf,
  packDistinct,
  treeLinks,
  unpackDistinct,
  type DistinctMembers,
} from '../../src/tasks/link/distinct-members.js'
import type { ShardGraph } from '../../src/engines/shard-engine.js'

const ROW_BYTES = 16
const kernel = Kernel.create()

/** Row i holds the number values[i] in every byte. */
function codesOf(values: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: values.length * ROW_BYTES }, (_, at) => values[Math.floor(at / ROW_BYTES)])
}

function copiesIn(codes: Uint8Array): DistinctMembers | undefined {
  const mark = kernel.mark()
  const at = kernel.alloc(codes.length)
  kernel.u8(at, codes.length).set(codes)
  const found = findCopies(kernel, at, ROW_BYTES, codes.length / ROW_BYTES)
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

const someValues = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 })

describe('findCopies', () => {
  it('finds nothing where no two members are alike', () => {
    expect(copiesIn(codesOf(Array.from({ length: 100 }, (_, i) => i)))).toBeUndefined()
  })

  it('finds of every code the first member, and leaves the engine those', () => {
    fc.assert(
      fc.property(someValues, (values) => {
        const found = copiesIn(codesOf(values))
        const firstOf = values.map((value) => values.indexOf(value))
        const firsts = [...new Set(firstOf)]
        expect(found === undefined).toBe(firsts.length === values.length)
        if (found === undefined) return
        expect(Array.from(found.firstOf)).toEqual(firstOf)
        expect(Array.from(found.members)).toEqual(firsts)
      }),
    )
  })
})

describe('packDistinct', () => {
  it('puts the rows of distinct members in front, and unpackDistinct puts all back', () => {
    fc.assert(
      fc.property(someValues, (values) => {
        const codes = codesOf(values)
        const found = copiesIn(codes)
        if (found === undefined) return
        const rows = codes.slice()
        packDistinct(rows, ROW_BYTES, found)
        const front = codesOf([...new Set(values)])
        expect(rows.subarray(0, front.length)).toEqual(front)
        unpackDistinct(rows, ROW_BYTES, found)
        expect(rows).toEqual(codes)
      }),
    )
  })
})

describe('addCopies', () => {
  const values = Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? 200 : i % 100))
  const codes = codesOf(values)
  const distinct = copiesIn(codes)
  if (distinct === undefined) throw new Error('there are copies')
  const links = ring(distinct.members.length)
  const graph = addCopies(links, distinct, {
    pruned: links,
    groups: groupsOf(distinct),
    maxDegree: 6,
    inside: treeLinks,
  })

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

  it('gives copies other ways out than the first one, from near to far', () => {
    const away = Array.from({ length: 8 }, (_, i) => i + 1)
    const candidates = {
      offsets: Uint32Array.from([0, 8, ...away.map(() => 8)]),
      neighbours: Uint32Array.from(away),
      distanceWords: Uint32Array.from(away, (i) => 10 * i),
    }
    const pruned = {
      offsets: Uint32Array.from([0, 2, ...away.map(() => 2)]),
      neighbours: Uint32Array.from([1, 4]),
      distanceWords: Uint32Array.from([10, 40]),
    }
    const copied = copiesIn(codesOf([9, ...away, 9, 9]))
    if (copied === undefined) throw new Error('there are copies')
    const inside = (_: number, place: number) => (place === 0 ? [1, 2] : [0])
    const extended = addCopies(candidates, copied, { groups: groupsOf(copied), maxDegree: 5, inside, pruned })
    expect(rowOf(extended, 0)).toEqual([9, 10, 1, 4])
    expect(rowOf(extended, 9)).toEqual([0, 2, 4, 6, 8])
    expect(rowOf(extended, 10)).toEqual([0, 1, 3, 5, 7])
    expect(Array.from(extended.distanceWords.subarray(extended.offsets[10]))).toEqual([0, 10, 30, 50, 70])
  })

  it('lets a walk in and out from among the copies', () => {
    for (const start of [0, 399, 1]) {
      const seen = new Set([start])
      const open = [start]
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        for (const next of rowOf(graph, at)) if (!seen.has(next)) open.push(...(seen.add(next), [next]))
      }
      expect(seen.size).toBe(values.length)
    }
  })
})
