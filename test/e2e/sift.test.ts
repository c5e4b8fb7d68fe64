/** The 10,000 SIFT descriptors: recall, and the same bytes on every way there is to build them. */
import { beforeAll, describe, expect, it } from 'vitest'
import { readIvecs } from '../../dist/src/sources/ivecs.js'
import type { BuildOptions } from '../../dist/src/index.js'
import {
  batches,
  build,
  examplePath,
  readExample,
  records,
  rowOf,
  segmentsOf,
  withIndex,
  type Built,
  type Rows,
} from './fixture.js'
import { withRun } from './patched-pool.js'

const idOf = (row: number): string => `sift-${row}`
const rowOfId = (id: string | number): number => Number(String(id).slice('sift-'.length))

let sift: Rows
let roomy: Built

beforeAll(async () => {
  sift = await readExample('sift10k_base.bvecs')
  roomy = await build(batches(sift, idOf), { memory: '4GB', threads: 2 })
})

describe('10,000 SIFT descriptors', () => {
  it('are found: recall@10 at ef 64 is at least 0.97 against the exact neighbours', async () => {
    const queries = await readExample('sift10k_query.bvecs')
    const truth = await readIvecs(examplePath('sift10k_gt.ivecs'))
    await withIndex(roomy.path, (index) => {
      let hits = 0
      for (let query = 0; query < queries.count; query++) {
        const exact = new Set(truth.rows.subarray(query * truth.dimensions, query * truth.dimensions + 10))
        const found = index.search(rowOf(queries, query), { k: 10, ef: 64 })
        hits += found.filter(({ id }) => exact.has(rowOfId(id))).length
      }
      expect(hits / (10 * queries.count)).toBeGreaterThanOrEqual(0.97)
    })
  })

  it('each find themselves under their own id', async () => {
    await withIndex(roomy.path, (index) => {
      for (let row = 0; row < sift.count; row += 7) {
        const hits = index.search(rowOf(sift, row), { k: 5, ef: 64 })
        expect(hits[0].distance).toBe(0)
        expect(hits.filter(({ distance }) => distance === 0).map(({ id }) => id)).toContain(idOf(row))
      }
    })
  })

  it('are reported: counts, several shards, recall, sizes', () => {
    expect(roomy.report).toMatchObject({
      count: 10_000,
      skipped: 0,
      dimensions: 128,
      metric: 'l2',
      engine: 'hnswlib-wasm',
      m: 16,
      seed: 1,
      threads: 2,
      shards: 3,
      spilledBytes: 0,
      generation: 'gen-000001',
      path: roomy.path,
    })
    expect(roomy.report.recallAt10).toBeGreaterThan(0.97)
    expect(roomy.report.averageDegree).toBeGreaterThan(5)
    expect(roomy.report.diskBytes).toBeGreaterThan(10_000 * (512 + 132))
    expect(roomy.report.peakRssBytes).toBeGreaterThan(5e7)
  })
})

describe('the same input, options and seed give the same bytes', () => {
  async function expectSameBytes(source: Parameters<typeof build>[0], options: Partial<BuildOptions>): Promise<Built> {
    const built = await build(source, options)
    expect(segmentsOf(built)).toEqual(segmentsOf(roomy))
    return built
  }

  it('with little memory and one thread', async () => {
    const { report } = await expectSameBytes(batches(sift, idOf), { memory: '200MB', threads: 1 })
    expect(report.threads).toBe(1)
  })

  it('with a queue limit so small that every queue spills', async () => {
    const { report } = await expectSameBytes(batches(sift, idOf), { memory: '4GB', threads: 2, queueBytes: 1 })
    // Vectors and their replicas' codes, at the least.
    expect(report.spilledBytes).toBeGreaterThan(10_000 * (512 + 512 + 256))
  })

  it('with the source cut into single records, all spilled', async () => {
    await expectSameBytes(records(sift, idOf), { memory: '200MB', threads: 2, queueBytes: 0 })
  })

  it('when a worker is killed in the middle of its shard, which the report then says', async () => {
    let shards = 0
    const killing: Parameters<typeof withRun>[0] = (run) => (pool, name, task, label) => {
      if (name === 'shard' && shards++ === 0) setTimeout(() => void pool.workers[0].terminate(), 100)
      return run(pool, name, task, label)
    }
    await withRun(killing, async () => {
      const { report } = await expectSameBytes(batches(sift, idOf, 9), { threads: 1 })
      expect(shards).toBe(3)
      expect(report.events.filter(({ kind }) => kind === 'task-retried')).toMatchObject([{ stage: 'shards' }])
    })
  })

  it('and another seed gives other bytes', async () => {
    const other = segmentsOf(await build(batches(sift, idOf), { seed: 2 }))
    expect(other['links-000.seg']).not.toBe(segmentsOf(roomy)['links-000.seg'])
  })
})
