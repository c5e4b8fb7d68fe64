import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AbortedError,
  DimensionMismatchError,
  IndexClosedError,
  InvalidOptionError,
  InvalidVectorError,
} from '../../src/errors.js'
import { spreadNodes } from '../../src/search/measure/measured-queries.js'
import { openIndex } from '../../src/live/open-index.js'
import type { MeasureProgress, RecallOptions } from '../../src/api/measure.js'
import type { Metric } from '../../src/api/vectors.js'
import {
  bruteForce,
  nearestGraph,
  randomGraph,
  randomRows,
  randomSource,
  type TestGraph,
} from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-recall-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** Few and random links, so that searches miss many neighbours and every ef has a different recall. */
const poor = (metric: Metric, values: 'integers' | 'reals' = 'integers', count = 300): TestGraph => {
  const graph = randomGraph({ seed: 7, metric, count, dimensions: 6, m: 4, levels: 1, values })
  return metric === 'cosine' ? { ...graph, vectors: unitRows(graph.vectors, 6) } : graph
}

function unitRows(rows: Float32Array, dimensions: number): Float32Array {
  return rows.map((x, i) => {
    const row = rows.subarray(i - (i % dimensions), i - (i % dimensions) + dimensions)
    return x / Math.sqrt(row.reduce((sum, y) => sum + y * y, 0))
  })
}

let made = 0
async function saved(graph: TestGraph): Promise<string> {
  const path = join(root, String(made++))
  await writeIndex(path, graph)
  return path
}

/** Share of hits that are not farther than the last exact neighbour, from the definition. */
function expectedRecall(
  found: readonly (readonly number[])[],
  exact: readonly (readonly number[])[],
  rounding = 1e-6,
): number {
  let hits = 0
  for (const [i, distances] of found.entries()) {
    const farthest = exact[i].at(-1) ?? NaN
    hits += distances.filter((distance) => distance <= farthest + rounding).length
  }
  return hits / exact.flat().length
}

const rowsOf = (rows: Float32Array, dimensions: number): Float32Array[] =>
  Array.from({ length: rows.length / dimensions }, (_, i) => rows.slice(i * dimensions, (i + 1) * dimensions))

describe('a recall curve', () => {
  test.each(['l2', 'cosine', 'ip'] as const)('of given %s queries agrees with brute force', async (metric) => {
    const graph = poor(metric, 'reals')
    const index = await openIndex(await saved(graph))
    const queries = unitRows(randomRows(randomSource(3), 40, 6, 'reals'), 6)
    const k = 7
    const curve = await index.recallCurve({ k, queries, ef: [100, 7, 20, 20] })
    expect(curve).toMatchObject({ generation: 'gen-000001', k, queries: 40, source: 'given' })
    expect(curve.points.map(({ ef }) => ef)).toEqual([7, 20, 100])
    const exact = rowsOf(queries, 6).map((query) => bruteForce(graph, query, k).map(({ distance }) => distance))
    for (const { ef, recall, queriesPerSecond, p50Ms } of curve.points) {
      const found = rowsOf(queries, 6).map((query) => index.search(query, { k, ef }).map(({ distance }) => distance))
      expect(recall).toBeCloseTo(expectedRecall(found, exact), 10)
      expect(queriesPerSecond).toBeGreaterThan(0)
      expect(p50Ms).toBeGreaterThan(0)
    }
    expect(curve.points[0].recall).toBeLessThan(curve.points[2].recall)
    await index.close()
  })

  test('of sampled vectors leaves each out of its own neighbours, exact and found', async () => {
    const graph = poor('l2')
    const index = await openIndex(await saved(graph))
    const [k, ef, seed] = [5, 12, 9]
    const curve = await index.recallCurve({ k, ef: [ef], sample: 50, seed })
    const nodes = spreadNodes(graph.count, 50, seed)
    const vectors = Array.from(nodes, (node) => graph.vectors.slice(node * 6, node * 6 + 6))
    const exact = vectors.map((vector, i) =>
      bruteForce(graph, vector, graph.count)
        .filter(({ node }) => node !== nodes[i])
        .slice(0, k)
        .map(({ distance }) => distance),
    )
    const found = vectors.map((vector, i) =>
      index
        .search(vector, { k: k + 1, ef })
        .filter(({ id }) => id !== nodes[i])
        .slice(0, k)
        .map(({ distance }) => distance),
    )
    expect(curve).toMatchObject({ queries: 50, source: 'sampled' })
    expect(curve.points[0].recall).toBeCloseTo(expectedRecall(found, exact), 10)
    await index.close()
  })

  test('counts any of equally near vectors as a neighbour', async () => {
    const graph = nearestGraph({ seed: 2, metric: 'l2', count: 60, dimensions: 6, m: 4, values: 'integers' })
    const same = { ...graph, vectors: new Float32Array(graph.vectors.length).fill(1) }
    const index = await openIndex(await saved(same))
    const { points } = await index.recallCurve({ k: 5, ef: [60] })
    expect(points[0].recall).toBe(1)
    await index.close()
  })

  test('is exact far from the origin, where the norms are large and the distances small', async () => {
    const near = poor('l2', 'reals')
    // Steps of 1/16: their sums with 20,000 are exact in float32.
    const far = (rows: Float32Array): Float32Array => rows.map((x) => Math.round(16 * x) / 16 + 20_000)
    const graph = { ...near, vectors: far(near.vectors) }
    const index = await openIndex(await saved(graph))
    const queries = far(randomRows(randomSource(3), 40, 6, 'reals'))
    const { points } = await index.recallCurve({ k: 7, queries, ef: [7] })
    const exact = rowsOf(queries, 6).map((query) => bruteForce(graph, query, 7).map(({ distance }) => distance))
    const found = rowsOf(queries, 6).map((query) => index.search(query, { k: 7, ef: 7 }).map((hit) => hit.distance))
    expect(points[0].recall).toBeCloseTo(expectedRecall(found, exact), 10)
    await index.close()
  })

  test('tells vectors apart whose distances are lost in their norms', async () => {
    const near = poor('l2', 'reals')
    // Two clusters, so that no mean is near both.
    const crowds = (rows: Float32Array): Float32Array =>
      rows.map((x, i) => (Math.floor(i / 6) % 2 === 0 ? 64 : -64) + Math.round(x * 50) / 4096)
    const graph = { ...near, vectors: crowds(near.vectors) }
    const index = await openIndex(await saved(graph))
    const queries = crowds(randomRows(randomSource(3), 40, 6, 'reals'))
    const { points } = await index.recallCurve({ k: 7, queries, ef: [50] })
    const exact = rowsOf(queries, 6).map((query) => bruteForce(graph, query, 7).map(({ distance }) => distance))
    const found = rowsOf(queries, 6).map((query) => index.search(query, { k: 7, ef: 50 }).map((hit) => hit.distance))
    expect(points[0].recall).toBeCloseTo(expectedRecall(found, exact, 1e-9), 10)
    await index.close()
  })

  test('is the same in little memory', async () => {
    const path = await saved(poor('ip', 'reals', 4000))
    const small = await openIndex(path, { memory: 400_000 })
    const large = await openIndex(path)
    const recalls = async (index: typeof small): Promise<number[]> =>
      (await index.recallCurve({ sample: 60, ef: [10, 40] })).points.map(({ recall }) => recall)
    expect(await recalls(small)).toEqual(await recalls(large))
    await small.close()
    await large.close()
  })

  test('by default doubles ef from 16, or k, up to the size of the index', async () => {
    const index = await openIndex(await saved(poor('l2')))
    const widths = async (options: RecallOptions): Promise<number[]> =>
      (await index.recallCurve({ sample: 5, ...options })).points.map(({ ef }) => ef)
    expect(await widths({})).toEqual([16, 32, 64, 128, 256, 300])
    expect(await widths({ k: 50 })).toEqual([50, 100, 200, 300])
    await index.close()
  })

  test('asks for at most as many neighbours as the index has', async () => {
    const index = await openIndex(await saved(nearestGraph({ ...poor('l2'), seed: 1, count: 6, values: 'reals' })))
    expect((await index.recallCurve({ k: 50 })).points.at(-1)).toMatchObject({ recall: 1 })
    expect((await index.recallCurve({ k: 50, queries: [[1, 2, 3, 4, 5, 6]] })).points.at(-1)).toMatchObject({
      recall: 1,
    })
    await index.close()
  })

  test('reports progress, and ends when its signal fires', async () => {
    const index = await openIndex(await saved(poor('l2')))
    const seen: MeasureProgress[] = []
    await index.recallCurve({ sample: 20, ef: [30], onProgress: (progress) => seen.push(progress) })
    expect(seen).toContainEqual({ stage: 'exact', done: 300, total: 300 })
    expect(seen).toContainEqual({ stage: 'search', ef: 30, done: 20, total: 20 })
    const controller = new AbortController()
    const stopped = index.recallCurve({ signal: controller.signal, onProgress: () => controller.abort() })
    await expect(stopped).rejects.toThrow(AbortedError)
    await index.close()
  })

  test('ends when its index is closed', async () => {
    const index = await openIndex(await saved(poor('l2')))
    const closed = index.recallCurve({ onProgress: () => void index.close() })
    await expect(closed).rejects.toThrow(IndexClosedError)
  })

  test.each([
    [{ k: 0 }, InvalidOptionError],
    [{ sample: 1.5 }, InvalidOptionError],
    [{ seed: -1 }, InvalidOptionError],
    [{ ef: [] }, InvalidOptionError],
    [{ ef: [10, 0] }, InvalidOptionError],
    [{ ef: 10 as never }, InvalidOptionError],
    [{ queries: [] }, InvalidOptionError],
    [{ queries: [[1, 2, 3, 4, 5, 6]], sample: 5 }, InvalidOptionError],
    [{ queries: new Float32Array(7) }, DimensionMismatchError],
    [{ queries: [[1]] }, DimensionMismatchError],
    [{ queries: [[1, 2, 3, 4, 5, NaN]] }, InvalidVectorError],
  ])('refuses %j', async (options, kind) => {
    const index = await openIndex(await saved(poor('l2', 'integers', 20)))
    await expect(index.recallCurve(options)).rejects.toThrow(kind)
    await index.close()
  })

  test('needs queries for an index of one vector', async () => {
    const one = randomGraph({ seed: 1, metric: 'l2', count: 1, dimensions: 6, m: 4, levels: 0, values: 'reals' })
    const index = await openIndex(await saved(one))
    await expect(index.recallCurve()).rejects.toThrow('measure with queries of your own')
    expect((await index.recallCurve({ queries: [[1, 2, 3, 4, 5, 6]] })).points[0].recall).toBe(1)
    await index.close()
  })
})

test('sampled nodes are spread over all of them, and repeat for a seed', () => {
  const nodes = spreadNodes(1000, 10, 1)
  expect(Array.from(nodes, (node) => Math.floor(node / 100))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(spreadNodes(1000, 10, 1)).toEqual(nodes)
  expect(spreadNodes(1000, 10, 2)).not.toEqual(nodes)
  expect([...spreadNodes(4, 10, 1)]).toEqual([0, 1, 2, 3])
})
