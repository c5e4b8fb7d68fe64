import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CandidateList, NodePlaces } from '../../src/build/tasks/candidate-lists.js'

const words = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
const nodes = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }))

describe('CandidateList', () => {
  it('is the distinct candidates by distance word, unsigned, then node', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(nodes, words), { maxLength: 60 }), (given) => {
        // A pair of nodes has one distance, whichever shard it was measured in.
        const distanceOf = new Map(given)
        const list = new CandidateList(given.length + 1)
        list.insert(7, 7)
        list.clear()
        for (const [node] of given) list.insert(node, distanceOf.get(node) ?? 0)
        const expected = [...distanceOf].sort((a, b) => a[1] - b[1] || a[0] - b[0])
        const found = Array.from({ length: list.count }, (_, i) => [list.nodes[i], list.words[i]])
        expect(found).toEqual(expected)
      }),
    )
  })
})

describe('NodePlaces', () => {
  it('numbers the distinct nodes in ascending order, as many as they are', () => {
    fc.assert(
      fc.property(fc.array(nodes, { maxLength: 300 }), fc.integer({ min: 0, max: 100 }), (given, expectedCount) => {
        const places = new NodePlaces(expectedCount)
        for (const node of given) places.add(node)
        const distinct = [...new Set(given)].sort((a, b) => a - b)
        expect(places.count).toBe(distinct.length)
        expect(Array.from(places.sorted())).toEqual(distinct)
        distinct.forEach((node, place) => expect(places.placeOf(node)).toBe(place))
      }),
    )
  })
})
