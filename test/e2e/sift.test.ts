/** SIFT descriptors, several shards with each engine: recall, and the same bytes on every way there is to build them. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { BuildOptions, EngineName } from '../../dist/src/index.js'
import {
  batches,
  build,
  concatRows,
  makeRows,
  readExample,
  recallAt,
  records,
  rowOf,
  segmentsOf,
  withIndex,
  type Built,
  type Rows,
} from '../fixtures/builds.js'
import { withRun } from './patched-pool.js'
import { WHOLE } from '../whole.js'

const idOf = (row: number): string => `sift-${row}`
const rowOfId = (id: string | number): number => Number(String(id).slice('sift-'.length))

/** Every gradient turned by half a circle: descriptors as they come, of other images. */
const turned = (rows: Rows): Rows =>
  makeRows(rows.count, rows.dimensions, (row, d) => rowOf(rows, row)[(d & ~7) | ((d + 4) & 7)])

const ENGINES: readonly { engine: EngineName; shards: number; rows: (sift10k: Rows) => Rows }[] = [
  { engine: 'pipnn', shards: 5, rows: (sift10k) => concatRows(sift10k, turned(sift10k)) },
  { engine: 'hnswlib-wasm', shards: 3, rows: (sift10k) => sift10k },
]

describe.each(ENGINES)('SIFT descriptors built with $engine', ({ engine, shards, rows }) => {
  let sift: Rows
  let roomy: Built

  beforeAll(async () => {
    sift = rows(await readExample('sift10k_base.bvecs'))
    roomy = await build(batches(sift, idOf), { memory: '4GB', threads: 2, engine })
  })

  it('are found: recall@10 at ef 64 is at least 0.97 against exact search', async () => {
    const queries = await readExample('sift10k_query.bvecs')
    const asked = Array.from({ length: queries.count }, (_, query) => rowOf(queries, query))
    await withIndex(roomy.path, (index) => {
      expect(recallAt(index, sift, asked, rowOfId)).toBeGreaterThanOrEqual(0.97)
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
      count: sift.count,
      skipped: 0,
      dimensions: 128,
      metric: 'l2',
      engine,
      quality: 'balanced',
      m: 16,
      seed: 1,
      threads: 2,
      shards,
      spilledBytes: 0,
      generation: 'gen-000001',
      path: roomy.path,
    })
    expect(roomy.report.recallAt10).toBeGreaterThan(0.97)
    expect(roomy.report.averageDegree).toBeGreaterThan(5)
    expect(roomy.report.trialRecall).toBeGreaterThan(0.98)
    expect(roomy.report.diskBytes).toBeGreaterThan(sift.count * (512 + 132))
    expect(roomy.report.peakRssBytes).toBeGreaterThan(5e7)
  })

  describe('the same input, options and seed give the same bytes', () => {
    async function expectSameBytes(
      source: Parameters<typeof build>[0],
      options: Partial<BuildOptions>,
    ): Promise<Built> {
      const built = await build(source, { ...options, engine })
      expect(segmentsOf(built)).toEqual(segmentsOf(roomy))
      return built
    }

    it('with little memory and one thread', async () => {
      const { report } = await expectSameBytes(batches(sift, idOf), { memory: '200MB', threads: 1 })
      expect(report.threads).toBe(1)
    })

    it.runIf(WHOLE)('with a queue limit so small that every queue spills', async () => {
      const { report } = await expectSameBytes(batches(sift, idOf), { memory: '4GB', threads: 2, queueBytes: 1 })
      // Vectors and their replicas' codes, at the least.
      expect(report.spilledBytes).toBeGreaterThan(sift.count * (512 + 512 + 256))
    })

    it.runIf(WHOLE)('with the source cut into single records, all spilled', async () => {
      await expectSameBytes(records(sift, idOf), { memory: '200MB', threads: 2, queueBytes: 0 })
    })

    it.runIf(WHOLE || engine === 'pipnn')(
      'when a worker is killed in the middle of its shard, which the report then says',
      async () => {
        let started = 0
        const killing: Parameters<typeof withRun>[0] = (run) => (pool, name, task, label) => {
          if (name === 'shard' && started++ === 0) setTimeout(() => void pool.workers[0].terminate(), 100)
          return run(pool, name, task, label)
        }
        await withRun(killing, async () => {
          const { report } = await expectSameBytes(batches(sift, idOf, 9), { threads: 1 })
          expect(started).toBe(shards)
          expect(report.events.filter(({ kind }) => kind === 'task-retried')).toMatchObject([{ stage: 'shards' }])
        })
      },
    )

    it.runIf(WHOLE || engine === 'pipnn')('and another seed gives other bytes', async () => {
      const other = segmentsOf(await build(batches(sift, idOf), { seed: 2, engine }))
      expect(other['links-000.seg']).not.toBe(segmentsOf(roomy)['links-000.seg'])
    })
  })
})
