import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { Metric } from '../../src/api/vectors.js'
import {
  bruteForce,
  coreSearch,
  loadCore,
  nearestGraph,
  randomGraph,
  randomRows,
  randomSource,
  referenceDistance,
  TwinGraph,
  type TestGraph,
} from '../fixtures/random-graph.js'

const metrics: readonly Metric[] = ['l2', 'cosine', 'ip']

const wish = fc.record({
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 120 }),
  // Beyond 128 dimensions rows can be rejected before their distance is complete.
  dimensions: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 120, max: 400 })),
  m: fc.integer({ min: 4, max: 9 }),
  levels: fc.integer({ min: 0, max: 3 }),
  values: fc.constantFrom('integers' as const, 'reals' as const),
  k: fc.integer({ min: 1, max: 20 }),
  ef: fc.integer({ min: 1, max: 40 }),
})

function tiny(vectors: number[], neighbours: number[][], overrides: Partial<TestGraph> = {}): TestGraph {
  return {
    metric: 'l2',
    count: vectors.length,
    dimensions: 1,
    m: 4,
    vectors: Float32Array.from(vectors),
    neighbours,
    upperLevels: [],
    entryPoint: { node: 0, level: 0, index: 0 },
    ...overrides,
  }
}

describe.each(metrics)('the search kernel, %s', (metric) => {
  test('finds what its TypeScript twin finds, to the bit, on random graphs', () => {
    fc.assert(
      fc.property(wish, ({ k, ef, ...shape }) => {
        const graph = randomGraph({ ...shape, metric })
        const core = loadCore(graph)
        const twin = new TwinGraph(graph)
        const queries = randomRows(randomSource(shape.seed + 1), 4, shape.dimensions, shape.values)
        for (let i = 0; i < 4; i++) {
          const query = queries.subarray(i * shape.dimensions, (i + 1) * shape.dimensions)
          expect(coreSearch(core, query, k, ef)).toEqual(twin.search(query, k, ef))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('finds the exact neighbours when the beam holds every node', () => {
    for (const [seed, dims] of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 36, 64, 65, 127, 300].entries()) {
      const graph = nearestGraph({ seed, metric, count: 90, dimensions: dims, m: 6, values: 'integers' })
      const query = randomRows(randomSource(seed + 99), 1, dims, 'integers')
      expect(coreSearch(loadCore(graph), query, 20, 90)).toEqual(bruteForce(graph, query, 20))
    }
  })

  test('computes distances as the definition says, for any number of dimensions', () => {
    const kernel = Kernel.create()
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 300 }), (seed, dims) => {
        const rows = randomRows(randomSource(seed), 2, dims, 'reals')
        const mark = kernel.mark()
        // Rows are only 4-byte aligned in an index.
        const at = kernel.alloc(8 * dims + 4) + 4
        kernel.f32(at, 2 * dims).set(rows)
        const { fn } = kernel
        const bias = metric === 'cosine' ? 1 : 0
        const got =
          metric === 'l2'
            ? fn.searchDistanceL2(at, at + 4 * dims, dims)
            : fn.searchDistanceDot(at, at + 4 * dims, dims, bias)
        kernel.release(mark)
        expect(got).toBeCloseTo(referenceDistance(metric, rows.subarray(0, dims), rows.subarray(dims)), 3)
      }),
    )
  })
})

describe('the search kernel', () => {
  test('orders equal distances by node, whatever the order they are found in', () => {
    const graph = tiny([0, 1, 1, 1, -1], [[4, 3, 2, 1], [], [], [], []])
    expect(coreSearch(loadCore(graph), Float32Array.of(0), 4, 4).map(({ node }) => node)).toEqual([0, 1, 2, 3])
  })

  test('keeps the lower nodes when equal distances compete for the last places', () => {
    const graph = tiny([5, 1, 1, 1, 1], [[4, 3, 2, 1], [], [], [], []])
    expect(coreSearch(loadCore(graph), Float32Array.of(0), 2, 2).map(({ node }) => node)).toEqual([1, 2])
  })

  test('is not stuck in copies of a vector that are nearer than the way to what it searches for', () => {
    // 0 leads to copies, 1 to 5, in a tree under 1, and only the first copy leads on, over 6, to 7.
    const graph = tiny([9, 1, 1, 1, 1, 1, 2, 0], [[1], [2, 3, 6], [4, 5], [], [], [], [7], []])
    expect(coreSearch(loadCore(graph), Float32Array.of(0), 3, 3).map(({ node }) => node)).toEqual([7, 1, 2])
  })

  test('goes on from a copy when nothing else leads on', () => {
    const graph = tiny([9, 1, 1, 1, 0], [[1], [2], [3], [4], []])
    expect(coreSearch(loadCore(graph), Float32Array.of(0), 2, 2).map(({ node }) => node)).toEqual([4, 1])
  })

  test('finds one node in an index of one', () => {
    expect(coreSearch(loadCore(tiny([3], [[]])), Float32Array.of(1), 10, 10)).toEqual([{ node: 0, distance: 4 }])
  })

  test('returns as many as are in reach', () => {
    const graph = tiny([0, 1, 2, 3], [[1], [0], [3], [2]])
    expect(coreSearch(loadCore(graph), Float32Array.of(3), 4, 4).map(({ node }) => node)).toEqual([1, 0])
  })

  test('descends the upper levels before it searches level 0', () => {
    // Level 1 links the islands {0, 1} and {2, 3}: with no descent node 3 is out of reach.
    const level = {
      nodes: Uint32Array.of(0, 2),
      down: Uint32Array.of(0, 2),
      links: Uint32Array.of(1, 1, 0, 0, 0, 1, 0, 0, 0, 0),
    }
    const graph = tiny([0, 1, 10, 11], [[1], [0], [3], [2]], {
      upperLevels: [level],
      entryPoint: { node: 0, level: 1, index: 0 },
    })
    expect(coreSearch(loadCore(graph), Float32Array.of(12), 2, 2).map(({ node }) => node)).toEqual([3, 2])
  })

  test('gives the same answer in the thousandth search as in the first', () => {
    const graph = randomGraph({ seed: 5, metric: 'l2', count: 100, dimensions: 6, m: 5, levels: 2, values: 'reals' })
    const core = loadCore(graph)
    const query = randomRows(randomSource(6), 1, 6, 'reals')
    const first = coreSearch(core, query, 10, 20)
    for (let i = 0; i < 1000; i++) expect(coreSearch(core, query, 10, 20)).toEqual(first)
  })

  test('treats distances that overflow as the farthest', () => {
    const graph = tiny([3e38, -3e38, 1], [[1], [2], []])
    const found = coreSearch(loadCore(graph), Float32Array.of(-3e38), 3, 3)
    expect(found.map(({ node, distance }) => [node, distance])).toEqual([
      [1, 0],
      [0, Infinity],
      [2, Infinity],
    ])
  })

  test('treats a distance that is not a number as the farthest', () => {
    // 3e38 * 3e38 - 3e38 * 3e38 is infinity minus infinity in float32.
    const graph = tiny([3e38, -3e38, 0, 1], [[1], []], { metric: 'ip', count: 2, dimensions: 2 })
    expect(coreSearch(loadCore(graph), Float32Array.of(3e38, 3e38), 2, 2)).toEqual([
      { node: 1, distance: -Math.fround(3e38) },
      { node: 0, distance: Infinity },
    ])
  })
})
