/** Data that nobody means to give, and that comes all the same. Every index is verified by `build`. */
import { hashOrdinal, SALT_SAMPLE } from '../../dist/src/build/ordinal-hash.js'
import { describe, expect, it } from 'vitest'
import type { BuildReport, Metric } from '../../dist/src/index.js'
import {
  batches,
  build,
  concatRows,
  makeRows,
  randomNumbers,
  randomRows,
  records,
  rowOf,
  withIndex,
  type Rows,
} from './fixture.js'

/** Builds, and tells for which of up to `searches` rows, evenly spread, a search finds a vector at no distance. */
async function foundOf(rows: Rows, metric: Metric, searches = 200): Promise<{ found: number; report: BuildReport }> {
  const { path, report } = await build(batches(rows), { metric })
  expect(report.count).toBe(rows.count)
  const found = await withIndex(path, (index) => {
    const step = Math.max(1, Math.floor(rows.count / searches))
    let hits = 0
    let asked = 0
    for (let row = 0; row < rows.count; row += step) {
      const answer = index.search(rowOf(rows, row), { k: 10 })
      expect(answer).toHaveLength(Math.min(10, rows.count))
      expect(new Set(answer.map(({ id }) => id)).size).toBe(answer.length)
      for (let i = 1; i < answer.length; i++) expect(answer[i].distance).toBeGreaterThanOrEqual(answer[i - 1].distance)
      if (Math.abs(answer[0].distance) < 1e-6) hits++
      asked++
    }
    return hits / asked
  })
  return { found, report }
}

const same = (count: number, dimensions: number): Rows => makeRows(count, dimensions, (_, d) => d + 1)

describe.each(['l2', 'cosine'] as const)('under %s every vector finds itself', (metric) => {
  it.each<[string, () => Rows]>([
    ['1 vector', () => randomRows(1, 8, 1)],
    ['2 vectors', () => randomRows(2, 8, 1)],
    ['17 identical vectors', () => same(17, 8)],
    ['1 dimension', () => randomRows(700, 1, 1)],
    ['2 dimensions', () => randomRows(700, 2, 1)],
    ['3 dimensions', () => randomRows(700, 3, 1)],
    ['7 dimensions', () => randomRows(700, 7, 1)],
    ['50 vectors of 1536 dimensions', () => randomRows(50, 1536, 1)],
    [
      'all on a line',
      () => makeRows(3000, 6, (row, d) => (metric === 'cosine' ? (d === 0 ? 500 : row) : (row - 700) * (d + 1))),
    ],
    ['a grid, where distances tie', () => makeRows(1000, 3, (row, d) => 1 + (Math.floor(row / 10 ** d) % 10))],
    [
      'two far clusters',
      () => {
        const far = randomRows(1500, 8, 2)
        return concatRows(
          randomRows(1500, 8, 1),
          makeRows(1500, 8, (row, d) => 1000 * (d + 1) + rowOf(far, row)[d]),
        )
      },
    ],
  ])('%s', async (_, makeOddRows) => {
    const rows = makeOddRows()
    const { found, report } = await foundOf(rows, metric)
    expect(found).toBe(1)
    expect(report.recallAt10).toBeGreaterThan(0.99)
  })
})

describe('copies of one vector', () => {
  it('all are in, and each search for it gives ten of them', async () => {
    const { found, report } = await foundOf(same(3000, 8), 'l2')
    expect(found).toBe(1)
    expect(report).toMatchObject({ count: 3000, reachable: 3000, recallAt10: 1 })
  })

  it('more of them than a shard holds', async () => {
    const { found, report } = await foundOf(same(9000, 4), 'l2', 20)
    expect(found).toBe(1)
    expect(report.events.map(({ kind }) => kind)).toContain('few-distinct-vectors')
  })

  // The copies link to each other and to nobody else, as they do in hnswlib: from among them few ways lead out.
  it('3,000 of them among 3,000 others: all reachable', async () => {
    const { report } = await foundOf(
      concatRows(
        makeRows(3000, 8, () => 0.5),
        randomRows(3000, 8, 4),
      ),
      'l2',
    )
    expect(report).toMatchObject({ count: 6000, reachable: 6000 })
    expect(report.repaired).toBe(0)
  })

  it('3,000 of them among 3,000 others: the others are found', async () => {
    const { found } = await foundOf(
      concatRows(
        makeRows(3000, 8, () => 0.5),
        randomRows(3000, 8, 4),
      ),
      'l2',
    )
    expect(found).toBeGreaterThan(0.95)
  })
})

describe('numbers far apart', () => {
  it('an outlier a million times as long as the rest: f32 codes, and the rest is found', async () => {
    const rows = randomRows(2000, 8, 1)
    rows.values.fill(1e6, 0, 8)
    const { found, report } = await foundOf(rows, 'l2')
    expect(found).toBe(1)
    expect(report.events.map(({ kind }) => kind)).toEqual(['f32-codes'])
  })

  it('a longer vector than any in the sample: its code is clamped, and that is said', async () => {
    const rows = randomRows(6000, 8, 1)
    // 4,096 of the 6,000 are sampled, those of the smallest hashes.
    let unsampled = 0
    while (hashOrdinal(1, SALT_SAMPLE, unsampled) < 0.9 * 2 ** 32) unsampled++
    rows.values.fill(50, 8 * unsampled, 8 * unsampled + 8)
    const { found, report } = await foundOf(rows, 'l2', 6000)
    expect(found).toBe(1)
    expect(report.events.map(({ kind, message }) => [kind, message.split(' ')[0]])).toEqual([['clamped-codes', '1']])
  })

  it('1e30 and 1e-30 mixed, under cosine', async () => {
    const random = randomRows(600, 8, 1)
    const rows = makeRows(600, 8, (row, d) => rowOf(random, row)[d] * (row % 2 === 0 ? 1e30 : 1e-30))
    expect((await foundOf(rows, 'cosine')).found).toBe(1)
  })

  it('squares that float32 still holds', async () => {
    const random = randomRows(600, 8, 1)
    expect(
      (
        await foundOf(
          makeRows(600, 8, (row, d) => rowOf(random, row)[d] * 1e18),
          'l2',
        )
      ).found,
    ).toBe(1)
  })

  it('all tiny', async () => {
    const random = randomRows(600, 8, 1)
    const { found } = await foundOf(
      makeRows(600, 8, (row, d) => rowOf(random, row)[d] * 1e-15),
      'l2',
    )
    expect(found).toBe(1)
  })

  it('negative zeros are zeros', async () => {
    const rows = makeRows(200, 4, (row, d) => (d === 0 ? row : -0))
    const { path } = await build(records(rows))
    await withIndex(path, (index) => {
      for (let row = 0; row < 200; row += 9) {
        expect(index.search([row, 0, 0, 0], { k: 1 })).toEqual([{ id: row, distance: 0 }])
      }
    })
  })
})

describe('sorted streams', () => {
  it('one topic after another: shards come from all of it', async () => {
    const random = randomNumbers(9)
    const topics = randomRows(40, 16, 8)
    const rows = makeRows(12_000, 16, (row, d) => 8 * rowOf(topics, Math.floor(row / 300))[d] + random())
    const { found, report } = await foundOf(rows, 'l2')
    // Tight, far clusters: a greedy descent of levels ≥ 1 ended in a wrong one now and then, and found 0.94.
    expect(found).toBeGreaterThan(0.98)
    expect(report.shards).toBeGreaterThan(1)
    expect(report.recallAt10).toBeGreaterThan(0.98)
  })
})

it('every m', async () => {
  for (const m of [4, 5, 33, 64]) {
    const { report } = await build(batches(randomRows(1500, 12, m)), { m })
    expect(report.m).toBe(m)
    expect(report.averageDegree).toBeLessThanOrEqual(2 * m)
  }
})
