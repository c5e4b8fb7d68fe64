import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gridDimensions, shardGeometry } from '../../src/plan/shard-geometry.js'

describe('shardGeometry', () => {
  it.each([
    // count, overlap, aimed → shards, overlap, members
    [1, 2, 8192, 1, 1, 1],
    [8192, 2, 8192, 1, 1, 8192],
    [8193, 2, 8192, 3, 2, 5462],
    [10_000, 2, 8192, 3, 2, 6667],
    [100_000, 2, 8192, 25, 2, 8000],
    [1_000_000, 3, 8192, 367, 3, 8175],
    [10, 3, 8, 4, 3, 8],
    [9, 1, 8, 2, 1, 5],
  ])('%d vectors, overlap %d, aim %d: %d shards, each vector in %d, %d members', (count, overlap, aim, ...expected) => {
    const [shardCount, fanOut, shardMembers] = expected
    expect(shardGeometry(count, overlap, aim)).toEqual({ shardCount, overlap: fanOut, shardMembers })
  })

  it('holds every vector in as many different shards as the overlap says, near the aimed size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 64, max: 20_000 }),
        (count, overlap, aimed) => {
          const { shardCount, overlap: fanOut, shardMembers } = shardGeometry(count, overlap, aimed)
          expect(fanOut).toBeLessThanOrEqual(shardCount)
          expect(fanOut).toBe(shardCount === 1 ? 1 : Math.min(overlap, shardCount))
          expect(shardMembers).toBeLessThanOrEqual(aimed)
          expect(shardMembers * shardCount).toBeGreaterThanOrEqual(count * fanOut)
        },
      ),
    )
  })
})

describe('gridDimensions', () => {
  it.each([
    [1, 'l2', 8],
    [8, 'l2', 8],
    [8, 'cosine', 8],
    [8, 'ip', 16],
    [7, 'ip', 8],
    [1536, 'ip', 1544],
  ] as const)('%d dimensions under %s: rows of %d', (dimensions, metric, gridDims) => {
    expect(gridDimensions(dimensions, metric)).toBe(gridDims)
  })
})
