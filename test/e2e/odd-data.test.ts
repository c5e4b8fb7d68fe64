/** Data that nobody means to give, and that comes all the same. Every index is verified by `build`. */
import { hashOrdinal, SALT_SAMPLE } from '../../dist/src/rows/hash-ordinal.js'
import { describe, expect, it } from 'vitest'
import type { BuildOptions, BuildReport, Metric } from '../../dist/src/index.js'
import {
  batches,
  build,
  concatRows,
  makeRows,
  randomNumbers,
  randomRows,
  recallAt,
  records,
  rowOf,
  segmentsOf,
  withIndex,
  type Rows,
} from '../fixtures/builds.js'
import { some, WHOLE } from '../whole.js'

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

describe.each(some(['l2', 'cosine'] as const, 2))('under %s every vector finds itself', (metric) => {
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
    const { found, report } = await foundOf(same(14_000, 4), 'l2', 20)
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
  it.runIf(WHOLE)('one topic after another: shards come from all of it', async () => {
    const random = randomNumbers(9)
    const topics = randomRows(40, 16, 8)
    const rows = makeRows(14_000, 16, (row, d) => 8 * rowOf(topics, Math.floor(row / 350))[d] + random())
    const { found, report } = await foundOf(rows, 'l2')
    // Tight, far clusters: a greedy descent of levels ≥ 1 ended in a wrong one now and then, and found 0.94.
    expect(found).toBeGreaterThan(0.98)
    expect(report.shards).toBeGreaterThan(1)
    expect(report.recallAt10).toBeGreaterThan(0.98)
  })
})

describe('shards of the pipnn engine that come out too large, or nearly', () => {
  const DIMENSIONS = 16
  const others = randomRows(8000, DIMENSIONS, 2)
  const copies = (count: number, component = 0.5): Rows => makeRows(count, DIMENSIONS, () => component)
  const noisy = (count: number, noise: number): Rows => {
    const { values } = randomRows(count, DIMENSIONS, 3)
    return makeRows(count, DIMENSIONS, (row, d) => 0.5 + noise * values[row * DIMENSIONS + d])
  }
  const massive = (): Rows => concatRows(copies(50_000), others)
  const options: Partial<BuildOptions> = { engine: 'pipnn', quality: 'balanced', threads: 2 }

  /** Recall of rows themselves and of points beside them, among the last `among` rows. */
  async function recallOf(rows: Rows, among = rows.count): Promise<{ recall: number; report: BuildReport }> {
    const { path, report } = await build(batches(rows), options)
    const random = randomNumbers(5)
    const queries = Array.from({ length: 100 }, (_, i) => {
      const row = rowOf(rows, rows.count - 1 - Math.floor(random() * among))
      return i % 2 === 0 ? row : row.map((x) => x + 0.05 * (random() - 0.5))
    })
    const recall = await withIndex(path, (index) => recallAt(index, rows, queries))
    return { recall, report }
  }

  it.each(
    some<[string, () => Rows, number, number?]>(
      [
        ['50,000 copies of one vector among 8,000 others', massive, 3],
        ['50,000 copies of one vector behind 8,000 others', () => concatRows(others, copies(50_000)), 3],
        ['50,000 copies and nothing else', () => copies(50_000), 1],
        ['two masses of copies, side by side', () => concatRows(copies(25_000), copies(25_000, 0.5001), others), 3],
        // A mass is cut by ordinals, so the nearest of one are in parts that it has no link to. The proof says so.
        [
          '25,000 nearly the same, so that no code tells them apart',
          () => concatRows(noisy(25_000, 1e-6), others),
          3,
          0.4,
        ],
        [
          '25,000 nearly the same, so that codes hardly tell them apart',
          () => concatRows(noisy(25_000, 1e-3), others),
          3,
        ],
      ],
      6,
    ),
  )('%s: shards are split, and everything is found', async (_, makeOddRows, atLeast, proven = 0.95) => {
    const rows = makeOddRows()
    const { recall, report } = await recallOf(rows, 8000)
    expect(report.splitShards).toBeGreaterThanOrEqual(atLeast)
    expect(report.events.map(({ kind }) => kind)).toContain('split-shards')
    expect(report.repaired).toBe(0)
    expect(recall).toBeGreaterThan(0.98)
    expect(report.recallAt10).toBeGreaterThan(proven)
    expect(report.events.some(({ kind }) => kind === 'low-recall')).toBe(report.recallAt10 < 0.95)
  })

  it.runIf(WHOLE)('they are split alike whatever the threads and the memory', async () => {
    const rows = massive()
    const roomy = segmentsOf(await build(batches(rows), options))
    const tight = await build(batches(rows, undefined, 7), { ...options, threads: 1, memory: '190MB', queueBytes: 2e6 })
    expect(tight.report.spilledBytes).toBeGreaterThan(0)
    expect(segmentsOf(tight)).toEqual(roomy)
  })

  it.each(
    some<[string, () => Rows, number]>(
      [
        [
          'two far clusters',
          () => {
            const far = randomRows(10_000, DIMENSIONS, 3)
            return concatRows(
              randomRows(10_000, DIMENSIONS, 1),
              makeRows(10_000, DIMENSIONS, (row, d) => 20 + rowOf(far, row)[d]),
            )
          },
          0.97,
        ],
        ['all on a line', () => makeRows(20_000, DIMENSIONS, (row, d) => (row - 10_000) * (d + 1)), 0.97],
        [
          'one tight cluster and a few outliers',
          () => {
            const tight = randomRows(20_000, DIMENSIONS, 1)
            const wide = randomRows(20, DIMENSIONS, 2)
            return concatRows(
              makeRows(20_000, DIMENSIONS, (row, d) => 0.01 * rowOf(tight, row)[d]),
              makeRows(20, DIMENSIONS, (row, d) => 100 * rowOf(wide, row)[d]),
            )
          },
          0.97,
        ],
        [
          'more clusters than shards',
          () => {
            const centres = randomRows(200, DIMENSIONS, 3)
            const near = randomRows(20_000, DIMENSIONS, 4)
            return makeRows(
              20_000,
              DIMENSIONS,
              (row, d) => 4 * rowOf(centres, (row * 7919) % 200)[d] + 0.5 * rowOf(near, row)[d],
            )
          },
          // Tight, far clusters: a greedy descent of levels ≥ 1 ends in a wrong one now and then.
          0.9,
        ],
        [
          'one cluster after another',
          () => {
            const centres = randomRows(20, DIMENSIONS, 3)
            const near = randomRows(20_000, DIMENSIONS, 4)
            return makeRows(
              20_000,
              DIMENSIONS,
              (row, d) => 4 * rowOf(centres, Math.floor(row / 1000))[d] + rowOf(near, row)[d],
            )
          },
          0.97,
        ],
      ],
      3,
    ),
  )('%s: everything is found', async (_, makeOddRows, least) => {
    const { recall, report } = await recallOf(makeOddRows())
    expect(recall).toBeGreaterThan(least)
    expect(report.shards).toBeGreaterThan(3)
  })
})

it('every m', async () => {
  for (const m of some([4, 64, 5, 33], 2)) {
    const { report } = await build(batches(randomRows(1500, 12, m)), { m })
    expect(report.m).toBe(m)
    expect(report.averageDegree).toBeLessThanOrEqual(2 * m)
  }
})
