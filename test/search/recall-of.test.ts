import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyLists, insertNearest, type NearestLists } from '../../src/search/measure/nearest-lists.js'
import { recallInterval } from '../../src/search/measure/recall-interval.js'
import { recallOf } from '../../src/search/measure/recall-of.js'
import { randomNumbers } from '../fixtures/tasks.js'

/** Lists of three from pairs of node and distance. */
function lists(...found: (readonly [number, number])[][]): NearestLists {
  const made = emptyLists(found.length, 3)
  found.forEach((pairs, query) => pairs.forEach(([node, distance]) => insertNearest(made, query, node, distance)))
  return made
}

describe('recallOf', () => {
  it('counts by distance: of equal ones any is right', () => {
    const exact = lists([[1, 1], [2, 2], [3, 2]]) // prettier-ignore
    expect(recallOf(exact, lists([[1, 1], [8, 2], [9, 2]]), { queryCount: 1, neighbours: 3 }).recall).toBe(1) // prettier-ignore
    expect(recallOf(exact, lists([[1, 1], [8, 2], [9, 3]]), { queryCount: 1, neighbours: 3 }).recall).toBe(2 / 3) // prettier-ignore
  })

  it('leaves the query itself out of both lists', () => {
    const exact = lists([[0, 0], [1, 1], [2, 2]]) // prettier-ignore
    const asked = { queryCount: 1, neighbours: 2, selves: Uint32Array.of(0) }
    expect(recallOf(exact, lists([[0, 0], [1, 1]]), asked).recall).toBe(0.5) // prettier-ignore
    expect(recallOf(exact, lists([[1, 1], [2, 2]]), asked).recall).toBe(1) // prettier-ignore
  })
})

describe('recallInterval', () => {
  it('is that of Wilson for queries of which each is a hit or a miss', () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 0 of 20.
    const share = (hits: number, count: number) => Float64Array.from({ length: count }, (_, i) => Number(i < hits))
    const { low, high } = recallInterval(share(81, 263))
    // The spread is estimated with n - 1.
    expect(low).toBeCloseTo(0.2553, 3)
    expect(high).toBeCloseTo(0.3662, 3)
    expect(recallInterval(share(0, 20)).low).toBe(0)
    expect(recallInterval(share(0, 20)).high).toBeCloseTo(0.1611, 4)
    expect(recallInterval(share(20, 20)).low).toBeCloseTo(0.8389, 4)
  })

  it('contains the recall of all queries in 95% of samples, whether neighbours are lost one by one or together', () => {
    const random = randomNumbers(1)
    for (const together of [false, true]) {
      const query = (): number =>
        together
          ? Number(random() < 0.95)
          : Array.from({ length: 10 }, () => Number(random() < 0.95)).reduce((sum, hit) => sum + hit / 10, 0)
      let inside = 0
      for (let sample = 0; sample < 1000; sample++) {
        const { low, high } = recallInterval(Float64Array.from({ length: 200 }, query))
        inside += Number(low <= 0.95 && 0.95 <= high)
      }
      expect(inside).toBeGreaterThan(925)
      expect(inside).toBeLessThan(975)
    }
  })

  it('contains the mean and stays within 0 and 1', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 50 }), (hits) => {
        const recalls = Float64Array.from(hits, (count) => count / 10)
        const mean = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length
        const { low, high } = recallInterval(recalls)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(low).toBeLessThanOrEqual(mean)
        expect(high).toBeGreaterThanOrEqual(mean)
        expect(high).toBeLessThanOrEqual(1)
      }),
    )
  })
})
