import { describe, expect, it, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { CodeQuantization } from '../../src/format/graph/quantized-shape.js'
import { leastPageBytes, nearLayout } from '../../src/search/core/row-layout.js'
import { searchFiltered } from '../../src/search/search-filtered.js'
import { SearchCore } from '../../src/search/core/search-core.js'
import { SearchMemory } from '../../src/search/core/search-memory.js'
import type { Metric } from '../../src/api/vectors.js'
import { codedCore, codedGraph, COUNT, queryFor, type Coded } from '../fixtures/coded-graph.js'
import { encodeTwin, halfValue, subspaceStart } from '../kernel/code-twins.js'
import { bruteForce, bytesOf, coreSearch, loadCore, referenceDistance } from '../fixtures/random-graph.js'

/** The approximate distance of docs/format.md, in float64. */
function codeDistance({ graph, shape, codebook, codes }: Coded, query: Float32Array, node: number): number {
  const { metric, dimensions } = graph
  const code = codes.subarray(node * shape.strideBytes, (node + 1) * shape.strideBytes)
  const view = new DataView(code.buffer, code.byteOffset, code.length)
  if (shape.quantization === 'binary') {
    const asked = encodeTwin('binary', query, dimensions, codebook, metric).codes
    return code.reduce((sum, byte, at) => sum + (byte ^ asked[at]).toString(2).replaceAll('0', '').length, 0)
  }
  const decoded = Float32Array.from(query, (_, d) => {
    if (shape.quantization === 'f16') return halfValue(view.getUint16(2 * d, true))
    if (shape.quantization === 'sq8') return codebook[d] + codebook[dimensions + d] * view.getInt8(d)
    const { subspaces } = shape
    const s = Array.from({ length: subspaces }, (__, at) => at).findLast(
      (at) => subspaceStart(at, subspaces, dimensions) <= d,
    )
    return codebook[256 * d + code[s ?? 0]]
  })
  const distance = referenceDistance(metric, query, decoded)
  // Decoded vectors do not have unit length, so half the squared l2 stands for 1 - cos.
  if (metric !== 'cosine' || shape.quantization === 'f16') return distance
  return referenceDistance('l2', query, decoded) / 2
}

const QUANTIZATIONS: [CodeQuantization, Metric][] = [
  ['f16', 'l2'],
  ['f16', 'cosine'],
  ['f16', 'ip'],
  ['sq8', 'l2'],
  ['sq8', 'cosine'],
  ['sq8', 'ip'],
  ['pq', 'l2'],
  ['pq', 'cosine'],
  ['pq', 'ip'],
  ['binary', 'cosine'],
]
const CASES = QUANTIZATIONS.flatMap(([quantization, metric]) =>
  [2, 5, 16, 33, 130].map((dimensions) => [quantization, metric, dimensions] as const),
)

describe.each(CASES)('%s, %s, %d dimensions', (quantization, metric, dimensions) => {
  const coded = codedGraph(quantization, metric, dimensions)
  const plain = loadCore(coded.graph)

  it('is walked with the distances of the format', () => {
    const core = codedCore(coded)
    const query = queryFor(coded, 4)
    expect(core.walk(query, COUNT)).toBe(COUNT)
    for (let i = 0; i < COUNT; i++) {
      expect(core.distances[i]).toBeCloseTo(codeDistance(coded, query, core.nodes[i]), 3)
      if (i > 0) expect(core.distances[i]).toBeGreaterThanOrEqual(core.distances[i - 1])
    }
  })

  it('gives the same answers as the vectors when all are scored again', () => {
    const core = codedCore(coded)
    for (let seed = 0; seed < 5; seed++) {
      const query = queryFor(coded, seed)
      const found = core.search(query, 10, 10, COUNT)
      expect(found).toBe(10)
      const exact = coreSearch(plain, query, 10, COUNT)
      expect(Array.from({ length: 10 }, (_, i) => ({ node: core.nodes[i], distance: core.distances[i] }))).toEqual(
        exact,
      )
    }
  })

  it('gives the same answers when pages come and go', () => {
    const shape = { ...coded.graph, codes: coded.shape }
    const little = codedCore(coded, nearLayout(shape, leastPageBytes(shape)))
    const whole = codedCore(coded)
    for (let seed = 0; seed < 10; seed++) {
      const query = queryFor(coded, seed)
      expect(coreSearch(little, query, 10, 40)).toEqual(coreSearch(whole, query, 10, 40))
    }
  })
})

test('a row of codes that ends at the end of the memory is read without leaving it', () => {
  // Weights beyond the dimensions are zero, so the bytes after the row do not matter.
  const coded = codedGraph('sq8', 'l2', 17)
  const core = codedCore(coded)
  expect(core.search(queryFor(coded, 1), 5, 20)).toBe(5)
})

test('scores as many again as were asked for, and never fewer than k', () => {
  const coded = codedGraph('binary', 'cosine', 130)
  const core = codedCore(coded)
  expect(core.beamFor(10, 64)).toEqual({ k: 10, ef: 100, rerank: 100 })
  expect(core.beamFor(10, 64, 1)).toEqual({ k: 10, ef: 64, rerank: 10 })
  expect(core.beamFor(10, 64, 1000)).toEqual({ k: 10, ef: COUNT, rerank: 1000 })
  expect(loadCore(coded.graph).beamFor(10, 64, 50)).toEqual({ k: 10, ef: 64, rerank: 0 })
})

test('a filtered search finds the nearest by their vectors', () => {
  const coded = codedGraph('sq8', 'cosine', 130)
  const core = codedCore(coded)
  const query = queryFor(coded, 3)
  const keeps = (node: number): boolean => node % 2 === 1
  const filter = {
    keeps,
    size: COUNT,
    counted: false,
    nodes: () => Array.from({ length: COUNT }, (_, i) => i).filter(keeps),
  }
  const exact = bruteForce(coded.graph, query, COUNT).filter(({ node }) => keeps(node))
  const found = searchFiltered(core, query, { k: 5, ef: 45 }, filter)
  expect(Array.from(core.nodes.subarray(0, found))).toEqual(exact.slice(0, 5).map(({ node }) => node))
})

test('requiredBytes covers the memory of a core with quantized vectors', () => {
  for (const quantization of ['f16', 'sq8', 'pq', 'binary'] as const) {
    const coded = codedGraph(quantization, 'cosine', 33)
    const kernel = Kernel.create()
    const { graph, shape } = coded
    new SearchCore(kernel, { ...graph, codes: { shape, codebook: bytesOf(coded.codebook) } })
    const required = SearchMemory.requiredBytes({ ...graph, codes: shape, upperBytes: 4 })
    expect(kernel.usedBytes).toBeLessThanOrEqual(required)
    expect(required - kernel.usedBytes).toBeLessThan(30_000)
  }
})
