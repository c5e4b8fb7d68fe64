/** Cosine on the WordNet nouns, inner product on vectors of different lengths. */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  batches,
  build,
  concatRows,
  distanceOf,
  examplePath,
  makeRows,
  randomNumbers,
  readExample,
  recallAt,
  records,
  rowOf,
  withIndex,
  type Rows,
} from '../fixtures/builds.js'
import { readIdLines } from '../../src/sources/lines/read-id-lines.js'

let nouns: Rows
let ids: string[]

beforeAll(async () => {
  nouns = await readExample('wordnet5k_nouns.npy')
  ids = []
  for await (const lines of readIdLines(examplePath('wordnet5k_nouns_ids.txt'))) ids.push(...lines.map(String))
  expect(ids).toHaveLength(nouns.count)
})

/** Between two of the rows: like them, but none of them. */
function queriesNear(rows: Rows, count: number, seed: number): Float32Array[] {
  const random = randomNumbers(seed)
  const pick = (): Float32Array => rowOf(rows, Math.floor(random() * rows.count))
  return Array.from({ length: count }, () => {
    const [a, b] = [pick(), pick()]
    return a.map((x, d) => 0.8 * x + 0.2 * b[d])
  })
}

describe('cosine', () => {
  it('finds the nouns by their direction: recall@10 at ef 64 at least 0.95, ids and distances as given', async () => {
    // Lengths say nothing under cosine.
    const stretched = makeRows(nouns.count, nouns.dimensions, (row, d) => rowOf(nouns, row)[d] * (1 + (row % 9)))
    const { path, report } = await build(
      batches(stretched, (row) => ids[row]),
      { metric: 'cosine' },
    )
    expect(report).toMatchObject({ metric: 'cosine', count: 5000 })
    expect(report.recallAt10).toBeGreaterThan(0.95)
    await withIndex(path, (index) => {
      const rowOfId = new Map(ids.map((id, row) => [id, row]))
      const queries = queriesNear(nouns, 100, 1)
      expect(recallAt(index, nouns, queries, (id) => rowOfId.get(String(id)) ?? -1)).toBeGreaterThanOrEqual(0.95)
      const hits = index.search(queries[0], { k: 5 })
      for (const { id, distance } of hits) {
        expect(distance).toBeCloseTo(distanceOf('cosine', queries[0], rowOf(nouns, rowOfId.get(String(id)) ?? -1)), 5)
      }
    })
  })
})

describe('ip', () => {
  it('finds the largest inner products among vectors of different lengths', async () => {
    const random = randomNumbers(3)
    const factors = Float32Array.from({ length: nouns.count }, () => 0.8 + 0.45 * random())
    const scaled = makeRows(nouns.count, nouns.dimensions, (row, d) => rowOf(nouns, row)[d] * factors[row])
    const { path, report } = await build(records(scaled), { metric: 'ip' })
    expect(report).toMatchObject({ metric: 'ip', count: 5000 })
    await withIndex(path, (index) => {
      const queries = queriesNear(nouns, 100, 2)
      expect(recallAt(index, scaled, queries)).toBeGreaterThanOrEqual(0.95)
      const [hit] = index.search(queries[0], { k: 1 })
      expect(hit.distance).toBeCloseTo(distanceOf('ip', queries[0], rowOf(scaled, Number(hit.id))), 4)
    })
  })

  it('reaches vectors that are nobody’s largest inner product', async () => {
    const short = makeRows(300, 16, (row, d) => 0.01 * Math.sin(row * 17 + d * d))
    const long = makeRows(300, 16, (row, d) => 10 * Math.cos(row * 5 + d * 3))
    const { report } = await build(records(concatRows(short, long)), { metric: 'ip' })
    expect(report.reachable).toBe(600)
  })
})
