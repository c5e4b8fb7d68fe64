import { expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { SearchCore } from '../../src/search/core/search-core.js'
import { SearchMemory } from '../../src/search/core/search-memory.js'
import { coreSearch, loadCore, randomGraph, randomRows, randomSource, TwinGraph } from '../fixtures/random-graph.js'

const wish = { seed: 8, metric: 'l2', count: 400, dimensions: 9, m: 6, levels: 2, values: 'reals' } as const

test('a search with a wider beam than was allocated replaces the beam', () => {
  const graph = randomGraph(wish)
  const kernel = Kernel.create()
  const core = loadCore(graph, kernel)
  const twin = new TwinGraph(graph)
  const query = randomRows(randomSource(9), 1, graph.dimensions, 'reals')
  const before = kernel.usedBytes
  for (const ef of [16, 17, 100, 400, 5000, 3]) {
    expect(coreSearch(core, query, 3, ef)).toEqual(twin.search(query, 3, ef))
  }
  expect(kernel.usedBytes - before).toBeLessThanOrEqual(16 * graph.count)
})

test('other code may allocate in the same kernel between searches', () => {
  const graph = randomGraph(wish)
  const kernel = Kernel.create()
  const core = loadCore(graph, kernel)
  const query = randomRows(randomSource(9), 1, graph.dimensions, 'reals')
  const first = coreSearch(core, query, 10, 10)
  const theirs = kernel.alloc(20_000_000)
  kernel.u8(theirs, 20_000_000).fill(7)
  expect(coreSearch(core, query, 10, 10)).toEqual(first)
  expect(coreSearch(core, query, 10, 300).length).toBe(10)
  expect(kernel.u8(theirs, 20_000_000).every((byte) => byte === 7)).toBe(true)
})

test('requiredBytes covers the memory that the constructor takes', () => {
  for (const [count, dimensions, m, levels] of [
    [1, 1, 4, 0],
    [400, 9, 6, 3],
    [2000, 130, 16, 1],
  ]) {
    const graph = randomGraph({ ...wish, count, dimensions, m, levels })
    const kernel = Kernel.create()
    const core = new SearchCore(kernel, graph)
    const upperBytes = graph.upperLevels.reduce((sum, { nodes, links }) => sum + 8 * nodes.length + 4 * links.length, 4)
    const required = SearchMemory.requiredBytes({ count, dimensions, m, upperBytes })
    expect(kernel.usedBytes).toBeLessThanOrEqual(required)
    expect(required - kernel.usedBytes).toBeLessThan(30_000)
    expect(core.count).toBe(count)
  }
})

test('counts the distances that a search computes', () => {
  const graph = randomGraph({ ...wish, count: 1, levels: 0 })
  const core = loadCore(graph)
  coreSearch(core, new Float32Array(graph.dimensions), 1, 1)
  expect(core.computedDistances).toBe(1)
})
