import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BestIds } from '../../src/search/ids/best-ids.js'

const vectors = fc.array(fc.record({ id: fc.oneof(fc.nat(9), fc.nat(9).map(String)), distance: fc.nat(20) }), {
  maxLength: 80,
})

it('has the nearest k ids, each once by its nearest vector, whatever the order', () => {
  fc.assert(
    fc.property(vectors, fc.integer({ min: 1, max: 25 }), (given, k) => {
      const best = new BestIds(k)
      const nearest = new Map<string | number, { distance: number; node: number }>()
      for (const [node, { id, distance }] of given.entries()) {
        best.add(id, node, distance)
        if (distance < (nearest.get(id)?.distance ?? Infinity)) nearest.set(id, { distance, node })
      }
      const expected = [...nearest.values()].map(({ distance }) => distance).sort((a, b) => a - b)
      expect(best.found.map(({ distance }) => distance)).toEqual(expected.slice(0, k))
      expect(new Set(best.found.map(({ id }) => id)).size).toBe(best.found.length)
      for (const { id, distance } of best.found) expect(nearest.get(id)?.distance).toBe(distance)
      expect(best.worst).toBe(expected.length < k ? Infinity : expected[k - 1])
    }),
  )
})
