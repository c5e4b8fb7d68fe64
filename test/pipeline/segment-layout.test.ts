import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layOutSegments, rangeOf } from '../../src/pipeline/layer/segment-layout.js'
import { SEGMENT_MAX_NODES } from '../../src/plan/segment-size.js'

describe('layOutSegments', () => {
  it('makes segments of whole shards that cover all nodes, none of them empty', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30_000 })), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 3000 }),
        (homeCounts, dimensions) => {
          const count = homeCounts.reduce((sum, n) => sum + n, 0)
          fc.pre(count > 0)
          const { starts, shardStarts } = layOutSegments(homeCounts, dimensions)
          expect(starts[0]).toBe(0)
          expect(starts[starts.length - 1]).toBe(count)
          expect(shardStarts[shardStarts.length - 1]).toBe(count)
          const boundaries = new Set(shardStarts)
          for (let i = 1; i < starts.length; i++) {
            expect(starts[i]).toBeGreaterThan(starts[i - 1])
            expect(boundaries.has(starts[i])).toBe(true)
          }
          homeCounts.forEach((n, shard) => expect(shardStarts[shard + 1] - shardStarts[shard]).toBe(n))
        },
      ),
    )
  })

  it('aims at a size: no segment of several shards is far above it', () => {
    const homeCounts = new Array<number>(200).fill(4000)
    const { starts } = layOutSegments(homeCounts, 8)
    for (let i = 1; i < starts.length; i++)
      expect(starts[i] - starts[i - 1]).toBeLessThanOrEqual(SEGMENT_MAX_NODES + 2000)
    expect(starts.length - 1).toBeLessThan(20)
  })

  it('keeps a small build in one segment', () => {
    expect(Array.from(layOutSegments([100, 0, 50], 128).starts)).toEqual([0, 150])
  })
})

describe('rangeOf', () => {
  it('finds the range a node lies in, passing over empty ones', () => {
    const starts = Uint32Array.of(0, 0, 5, 5, 9, 9)
    expect(Array.from({ length: 9 }, (_, node) => rangeOf(starts, node))).toEqual([1, 1, 1, 1, 1, 3, 3, 3, 3])
  })
})
