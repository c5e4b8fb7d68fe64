import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { exactNeighbours } from '../../src/tasks/prove/exact-task.js'
import { NO_NEIGHBOUR } from '../../src/search/measure/nearest-lists.js'
import { vectorsHeader } from '../../src/format/segment/segment-header.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import type { Metric } from '../../src/api/vectors.js'
import { makeFolder, randomRows, squaredNorm } from '../fixtures/tasks.js'

const kernel = Kernel.create()

function unit(rows: Float32Array, dimensions: number): Float32Array {
  return rows.map((x, i) => x / Math.sqrt(squaredNorm(rows, dimensions, Math.floor(i / dimensions))))
}

function distanceTwin(metric: Metric, a: Float32Array, b: Float32Array): number {
  let dot = 0
  let squares = 0
  a.forEach((x, d) => {
    dot += x * b[d]
    squares += (x - b[d]) ** 2
  })
  return metric === 'l2' ? squares : metric === 'cosine' ? 1 - dot : -dot
}

describe('exactNeighbours', () => {
  it.each([
    ['l2', 17, 2000],
    ['l2', 128, 2500],
    ['cosine', 40, 2000],
    ['ip', 24, 2000],
    ['ip', 7, 3],
  ] as const)('is brute force for %s, %d dimensions, %d vectors', async (metric, dimensions, count) => {
    const k = 11
    const firstNode = 500
    const queryCount = 30
    // Lengths differ, so that inner products differ from distances.
    const scaled = (seed: number, n: number): Float32Array =>
      randomRows(n, dimensions, seed).map((x, i) => x * (1 + (Math.floor(i / dimensions) % 5)))
    const prepare = (rows: Float32Array): Float32Array => (metric === 'cosine' ? unit(rows, dimensions) : rows)
    const rows = prepare(scaled(1, count))
    const queries = prepare(scaled(2, queryCount))
    const path = join(makeFolder(), 'vectors-000.seg')
    await writeSegment(path, vectorsHeader({ firstNode, count, dimensions }), new Uint8Array(rows.buffer))
    let maxSquaredNorm = 0
    for (let row = 0; row < count; row++) maxSquaredNorm = Math.max(maxSquaredNorm, squaredNorm(rows, dimensions, row))

    const mark = kernel.mark()
    const lists = exactNeighbours(kernel, {
      metric,
      dimensions,
      vectors: { path, firstNode, count },
      queries,
      queryCount,
      k,
      maxSquaredNorm,
    })
    kernel.release(mark)

    for (let query = 0; query < queryCount; query++) {
      const q = queries.subarray(query * dimensions, (query + 1) * dimensions)
      const expected = Array.from({ length: count }, (_, row) =>
        distanceTwin(metric, q, rows.subarray(row * dimensions, (row + 1) * dimensions)),
      ).sort((a, b) => a - b)
      const found = Math.min(k, count)
      const nodes = lists.nodes.subarray(query * k, query * k + k)
      expect(new Set(nodes.subarray(0, found)).size).toBe(found)
      for (let i = 0; i < found; i++) {
        const row = nodes[i] - firstNode
        const own = distanceTwin(metric, q, rows.subarray(row * dimensions, (row + 1) * dimensions))
        const tolerance = 1e-5 * (1 + Math.abs(expected[i]))
        expect(Math.abs(own - expected[i])).toBeLessThan(tolerance)
        expect(Math.abs(lists.distances[query * k + i] - expected[i])).toBeLessThan(tolerance)
      }
      expect(nodes.subarray(found).every((node) => node === NO_NEIGHBOUR)).toBe(true)
    }
  })

  it.each(['l2', 'ip'] as const)('tells %s vectors apart whose distances are lost in their norms', async (metric) => {
    const [dimensions, count, queryCount, k] = [16, 400, 20, 5]
    // Two crowds far from each other, so that no mean is near both; all sums of squared differences are exact.
    const crowd = (n: number, seed: number): Float32Array =>
      randomRows(n, dimensions, seed).map(
        (x, i) => (Math.floor(i / dimensions) % 2 === 0 ? 64 : -64) + Math.round(x * 50) / 4096,
      )
    const rows = crowd(count, 1)
    const queries = crowd(queryCount, 2)
    const path = join(makeFolder(), 'vectors-000.seg')
    await writeSegment(path, vectorsHeader({ firstNode: 0, count, dimensions }), new Uint8Array(rows.buffer))
    let maxSquaredNorm = 0
    for (let row = 0; row < count; row++) maxSquaredNorm = Math.max(maxSquaredNorm, squaredNorm(rows, dimensions, row))
    const vectors = { path, firstNode: 0, count }
    const asked = { metric, dimensions, vectors, queries, queryCount, k, maxSquaredNorm }
    const mark = kernel.mark()
    const lists = exactNeighbours(kernel, asked)
    kernel.release(mark)
    const row = (of: Float32Array, i: number): Float32Array => of.subarray(i * dimensions, (i + 1) * dimensions)
    for (let query = 0; query < queryCount; query++) {
      const expected = Array.from({ length: count }, (_, i) =>
        distanceTwin(metric, row(queries, query), row(rows, i)),
      ).sort((a, b) => a - b)
      const found = [...lists.distances.subarray(query * k, (query + 1) * k)]
      const tolerance = metric === 'l2' ? 1e-9 : 0.02
      found.forEach((distance, i) => expect(Math.abs(distance - expected[i])).toBeLessThan(tolerance))
    }
  })

  it('has k of a mass of equal vectors', async () => {
    const [dimensions, count, k] = [4, 300, 5]
    const path = join(makeFolder(), 'vectors-000.seg')
    const rows = new Float32Array(count * dimensions).fill(3)
    await writeSegment(path, vectorsHeader({ firstNode: 0, count, dimensions }), new Uint8Array(rows.buffer))
    const queries = Float32Array.of(3, 3, 3, 3, 3, 3, 3, 4)
    const vectors = { path, firstNode: 0, count }
    const lists = exactNeighbours(kernel, {
      metric: 'l2',
      dimensions,
      vectors,
      queries,
      queryCount: 2,
      k,
      maxSquaredNorm: 36,
    })
    expect([...lists.nodes]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    expect([...lists.distances]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
  })
})
