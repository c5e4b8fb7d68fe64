/** Indexes with compact codes, opened and searched as a user does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  InvalidOptionError,
  openIndex,
  type Id,
  type Index,
  type SearchHit,
  type Quantization,
} from '../../dist/src/index.js'
import { batches, build, readExample, rowOf, type Rows } from '../fixtures/builds.js'
import { some } from '../whole.js'

/** WordNet glosses, 384 dimensions, cosine. */
const LOSS: Readonly<Record<Quantization, number>> = { f32: 0, f16: 0.005, sq8: 0.01, pq: 0.03, binary: 0.05 }
const QUANTIZATIONS = some(['sq8', 'f16', 'pq', 'binary'] as const, 4)

let rows: Rows
let queries: Float32Array[]
const indexes = new Map<Quantization, Index>()
const paths = new Map<Quantization, string>()
const indexOf = (quantization: Quantization): Index => indexes.get(quantization) as Index

beforeAll(async () => {
  const all = await readExample('wordnet5k_nouns.npy')
  // Every 25th vector is a query, and no vector of the index.
  const asked = Array.from({ length: all.count }, (_, row) => row).filter((row) => row % 25 === 0)
  const kept = Array.from({ length: all.count }, (_, row) => row).filter((row) => row % 25 !== 0)
  queries = asked.map((row) => rowOf(all, row).slice())
  const values = new Float32Array(kept.length * all.dimensions)
  kept.forEach((row, i) => values.set(rowOf(all, row), i * all.dimensions))
  rows = { values, count: kept.length, dimensions: all.dimensions }
  for (const quantization of ['f32', ...QUANTIZATIONS] as const) {
    const { path } = await build(batches(rows), { metric: 'cosine', quantization })
    paths.set(quantization, path)
    indexes.set(quantization, await openIndex(path))
  }
}, 120_000)
afterAll(async () => {
  for (const index of indexes.values()) await index.close()
})

/** By plain arithmetic. */
function exact(query: Float32Array, k: number, keeps: (row: number) => boolean = () => true): Set<Id> {
  const scored = Array.from({ length: rows.count }, (_, row) => {
    const vector = rowOf(rows, row)
    let [dot, norm] = [0, 0]
    for (let d = 0; d < query.length; d++) {
      dot += query[d] * vector[d]
      norm += vector[d] * vector[d]
    }
    return { row, score: dot / Math.sqrt(norm) }
  })
  const nearest = scored.filter(({ row }) => keeps(row)).sort((a, b) => b.score - a.score)
  return new Set(nearest.slice(0, k).map(({ row }) => row))
}

function recall(found: readonly SearchHit[][], truth: readonly Set<Id>[]): number {
  const hits = found.map((each, i) => each.filter(({ id }) => truth[i].has(id)).length)
  return hits.reduce((sum, n) => sum + n, 0) / truth.reduce((sum, { size }) => sum + size, 0)
}

describe.each(QUANTIZATIONS)('an index with quantization %s', (quantization) => {
  it('finds nearly what one without codes finds', () => {
    const truth = queries.map((query) => exact(query, 10))
    const plain = recall(
      queries.map((query) => indexOf('f32').search(query)),
      truth,
    )
    const coded = recall(
      queries.map((query) => indexOf(quantization).search(query)),
      truth,
    )
    expect(plain).toBeGreaterThan(0.95)
    expect(coded).toBeGreaterThanOrEqual(plain - LOSS[quantization])
  })

  it('gives the distances of the vectors', () => {
    const plain = new Map(
      indexOf('f32')
        .search(queries[0], { k: 50, ef: 500 })
        .map(({ id, distance }) => [id, distance]),
    )
    const shared = indexOf(quantization)
      .search(queries[0], { k: 20, ef: 500 })
      .filter(({ id }) => plain.has(id))
    expect(shared.length).toBeGreaterThan(10)
    for (const { id, distance } of shared) expect(distance).toBe(plain.get(id))
  })

  it('in little memory answers as in much, to the bit', async () => {
    const path = paths.get(quantization) as string
    const little = await openIndex(path, { memory: '4MB' })
    for (const query of queries.slice(0, 40)) expect(little.search(query)).toEqual(indexOf(quantization).search(query))
    await little.close()
  })

  it('answers on threads as on one, to the bit', async () => {
    const threaded = await openIndex(paths.get(quantization) as string, { threads: 2 })
    for (const rerank of [undefined, 10, 200]) {
      const options = { k: 7, ef: 40, rerank }
      expect(await threaded.searchBatch(queries, options)).toEqual(
        await indexOf(quantization).searchBatch(queries, options),
      )
    }
    await threaded.close()
  })

  it('finds those that a filter keeps', () => {
    const keeps = (row: number): boolean => row % 10 === 3
    const index = indexOf(quantization)
    const set = index.select((id) => keeps(id as number))
    const asked = queries.slice(0, 60)
    const truth = asked.map((query) => exact(query, 10, keeps))
    expect(
      recall(
        asked.map((query) => index.search(query, { filter: set })),
        truth,
      ),
    ).toBeGreaterThanOrEqual(0.95)
  })

  it('measures a recall that grows with what is scored again', async () => {
    const at = async (rerank: number): Promise<number> =>
      (await indexOf(quantization).recallCurve({ queries, ef: [64], rerank })).points[0].recall
    expect(await at(64)).toBeGreaterThanOrEqual(await at(10))
  })

  it('says what it is', () => {
    expect(indexOf(quantization).quantization).toBe(quantization)
  })
})

it('refuses a rerank that is no count', () => {
  for (const rerank of [0, -1, 1.5, Number.NaN]) {
    expect(() => indexOf('sq8').search(queries[0], { rerank })).toThrow(InvalidOptionError)
  }
})

it('takes over a generation of another quantization', async () => {
  const { path } = await build(batches(rows), { metric: 'cosine', quantization: 'binary' })
  const index = await openIndex(path)
  const before = index.search(queries[0], { k: 3, ef: 500 })
  await build(batches(rows), { path, metric: 'cosine', quantization: 'pq' })
  expect(await index.refresh()).toBe(true)
  expect(index.quantization).toBe('pq')
  expect(index.search(queries[0], { k: 3, ef: 500 })).toEqual(before)
  await index.close()
})
