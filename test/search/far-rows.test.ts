/** Searches whose rows lie in several memories, against searches of one memory that holds everything. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { CodeQuantization } from '../../src/format/graph/quantized-shape.js'
import {
  leastPageBytes,
  nearLayout,
  strideBytesOf,
  type RowLayout,
  type RowsShape,
} from '../../src/search/core/row-layout.js'
import { SearchCore } from '../../src/search/core/search-core.js'
import { codedCore, codedGraph, COUNT, queryFor, rowsOf } from '../fixtures/coded-graph.js'
import {
  bytesOf,
  coreSearch,
  linkRows,
  loadCore,
  randomGraph,
  randomRows,
  randomSource,
  type TestGraph,
} from '../fixtures/random-graph.js'
import { runs } from '../whole.js'

/** Vectors, and codes when `codesToo`, in memories of `partNodes` nodes: all rows of them, or only what is needed. */
function farLayout(shape: RowsShape, partNodes: number, all: boolean, codesToo: boolean): RowLayout {
  const strides = strideBytesOf(shape)
  const least = leastPageBytes(shape)
  const part = (stride: number): { partNodes: number; pageBytes: number } => ({
    partNodes,
    pageBytes: all ? partNodes * stride : least,
  })
  const { near } = nearLayout(shape, all ? Number.MAX_SAFE_INTEGER : least)
  const codes = codesToo ? { codes: part(strides.codes) } : {}
  return {
    near: { ...near, vectors: 0, codes: codesToo ? 0 : near.codes },
    far: { vectors: part(strides.vectors), ...codes },
  }
}

function farCore(graph: TestGraph, layout: RowLayout): SearchCore {
  const vectors = rowsOf(bytesOf(graph.vectors), graph.count)
  return new SearchCore(Kernel.create(), {
    ...graph,
    maxEf: 16,
    paged: { vectors, links: rowsOf(bytesOf(linkRows(graph)), graph.count), layout },
  })
}

const wishes = fc.record({
  seed: fc.nat(1000),
  metric: fc.constantFrom('l2' as const, 'ip' as const, 'cosine' as const),
  count: fc.integer({ min: 1, max: 250 }),
  dimensions: fc.constantFrom(1, 3, 4, 130, 300, 1100),
  m: fc.constantFrom(2, 6),
  levels: fc.integer({ min: 0, max: 2 }),
  // Integers: many nodes at the same distance, and copies in different memories.
  values: fc.constantFrom('integers' as const, 'reals' as const),
})

test('vectors in several memories, whole or in pages, give the hits and distances of one memory', () => {
  const sizes = fc.record({ partNodes: fc.integer({ min: 1, max: 120 }), all: fc.boolean() })
  fc.assert(
    fc.property(wishes, sizes, (wish, { partNodes, all }) => {
      const graph = randomGraph(wish)
      const near = loadCore(graph)
      const far = farCore(graph, farLayout(graph, Math.max(partNodes, Math.ceil(graph.count / 20)), all, false))
      const random = randomSource(wish.seed)
      for (const ef of [1, 8, 40, 300]) {
        const query = randomRows(random, 1, graph.dimensions, wish.values)
        expect(coreSearch(far, query, Math.min(ef, 10), ef)).toEqual(coreSearch(near, query, Math.min(ef, 10), ef))
        expect(far.computedDistances).toBe(near.computedDistances)
      }
    }),
    { numRuns: runs(60) },
  )
})

test.each<[CodeQuantization, 'l2' | 'cosine' | 'ip']>([
  ['f16', 'l2'],
  ['f16', 'ip'],
  ['sq8', 'l2'],
  ['sq8', 'cosine'],
  ['pq', 'ip'],
  ['binary', 'cosine'],
])(
  'quantized vectors (%s, %s) in several memories give the hits and distances of one memory',
  (quantization, metric) => {
    const coded = codedGraph(quantization, metric, 130)
    const shape = { ...coded.graph, codes: coded.shape }
    const near = codedCore(coded)
    for (const codesToo of [false, true]) {
      for (const all of [false, true]) {
        for (const partNodes of [COUNT, 128, 37]) {
          const far = codedCore(coded, farLayout(shape, partNodes, all, codesToo))
          for (let seed = 0; seed < 5; seed++) {
            const query = queryFor(coded, seed)
            expect(coreSearch(far, query, 10, 40)).toEqual(coreSearch(near, query, 10, 40))
          }
        }
      }
    }
  },
)

test('a scan, a stored vector and a wider beam than before are the same', () => {
  const graph = randomGraph({ seed: 4, metric: 'l2', count: 200, dimensions: 9, m: 4, levels: 1, values: 'integers' })
  const near = loadCore(graph)
  const far = farCore(graph, farLayout(graph, 70, false, false))
  const query = randomRows(randomSource(2), 1, 9, 'integers')
  const nodes = Array.from({ length: 90 }, (_, i) => 2 * i)
  expect(far.scan(query, nodes, 20)).toBe(near.scan(query, nodes, 20))
  expect(far.nodes.slice(0, 20)).toEqual(near.nodes.slice(0, 20))
  expect(far.distances.slice(0, 20)).toEqual(near.distances.slice(0, 20))
  for (const node of [0, 69, 70, 199]) expect(far.vectorOf(node)).toEqual(near.vectorOf(node))
  // The beam grows the memory that walks, which makes new views of it necessary.
  far.memory.kernel.alloc(20_000_000)
  expect(coreSearch(far, query, 10, 200)).toEqual(coreSearch(near, query, 10, 200))
})

test('a page that cannot be read fails one search, and not the next', () => {
  const graph = randomGraph({ seed: 4, metric: 'l2', count: 200, dimensions: 9, m: 4, levels: 1, values: 'reals' })
  const near = loadCore(graph)
  let broken = true
  const vectors = rowsOf(bytesOf(graph.vectors), graph.count)
  const far = new SearchCore(Kernel.create(), {
    ...graph,
    paged: {
      vectors: {
        ...vectors,
        read(first, count, into) {
          if (broken && first < 70) throw new Error('no')
          vectors.read(first, count, into)
        },
      },
      links: rowsOf(bytesOf(linkRows(graph)), graph.count),
      layout: farLayout(graph, 70, false, false),
    },
  })
  const query = randomRows(randomSource(2), 1, 9, 'reals')
  expect(() => coreSearch(far, query, 10, 200)).toThrow('no')
  broken = false
  expect(coreSearch(far, query, 10, 200)).toEqual(coreSearch(near, query, 10, 200))
})
