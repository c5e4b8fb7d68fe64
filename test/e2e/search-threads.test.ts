/** Batches on worker threads that share one index. (Whole package: the threads load built files.) */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  DimensionMismatchError,
  IndexClosedError,
  InsufficientMemoryError,
  InvalidOptionError,
  openIndex,
  type Index,
  type Metric,
} from '../../dist/src/index.js'
import { build, randomRows, records, rowOf, type Rows } from '../fixtures/builds.js'

const PACKAGE = pathToFileURL(fileURLToPath(new URL('../../dist/src/index.js', import.meta.url))).href
const rows = randomRows(3000, 24, 5)
const asked = randomRows(500, 24, 6)
const queries = Array.from({ length: asked.count }, (_, row) => rowOf(asked, row))

let path: string
let alone: Index
let shared: Index
beforeAll(async () => {
  path = (await build(records(rows, (row) => `id-${row}`))).path
  alone = await openIndex(path)
  shared = await openIndex(path, { threads: 2 })
})
afterAll(async () => {
  await alone.close()
  await shared.close()
})

describe('searchBatch on threads', () => {
  it.each<Metric>(['l2', 'cosine', 'ip'])('gives what one thread gives, to the bit (%s)', async (metric) => {
    const built = await build(records(rows), { metric })
    const [one, two] = [await openIndex(built.path), await openIndex(built.path, { threads: 2 })]
    expect(await two.searchBatch(queries, { k: 7, ef: 40 })).toEqual(await one.searchBatch(queries, { k: 7, ef: 40 }))
    await one.close()
    await two.close()
  })

  it('takes any number of queries, k and ef, also beyond what was set aside', async () => {
    for (const [count, k, ef] of [
      [0, 10, 64],
      [1, 1, 1],
      [9, 3000, 10],
      [20, 10, 2500],
      [3, 5000, 5000],
    ]) {
      const some = queries.slice(0, count)
      expect(await shared.searchBatch(some, { k, ef })).toEqual(await alone.searchBatch(some, { k, ef }))
    }
  })

  it('takes more queries than go to the threads at a time', async () => {
    const many: Rows = randomRows(5000, 24, 7)
    const flat = many.values
    expect(await shared.searchBatch(flat, { k: 3, ef: 10 })).toEqual(await alone.searchBatch(flat, { k: 3, ef: 10 }))
  })

  it('serves batches that overlap, and single and filtered searches between them', async () => {
    const expected = await alone.searchBatch(queries, { k: 5 })
    const batches = [shared.searchBatch(queries, { k: 5 }), shared.searchBatch(queries, { k: 5 })]
    expect(shared.search(queries[3], { k: 5 })).toEqual(expected[3])
    const filter = shared.select((id) => String(id).endsWith('7'))
    const filtered = await shared.searchBatch(queries.slice(0, 5), { filter })
    expect(filtered.flat().every(({ id }) => String(id).endsWith('7'))).toBe(true)
    expect(await Promise.all(batches)).toEqual([expected, expected])
  })

  it('names the query that is wrong', async () => {
    await expect(shared.searchBatch([queries[0], new Float32Array(23)])).rejects.toThrow(DimensionMismatchError)
  })

  it('of an index that is closed meanwhile is refused, and its threads end', async () => {
    const index = await openIndex(path, { threads: 2 })
    const batch = index.searchBatch(queries)
    const closed = index.close()
    await expect(batch).rejects.toThrow(IndexClosedError)
    await closed
  })
})

describe('openIndex with threads', () => {
  it('is refused where the index does not fit the memory', async () => {
    await expect(openIndex(path, { threads: 2, memory: '200KB' })).rejects.toThrow(InsufficientMemoryError)
  })

  it.each([0, 1.5, -1, Number.NaN, 5000])('is refused for %s threads', async (threads) => {
    await expect(openIndex(path, { threads })).rejects.toThrow(InvalidOptionError)
  })

  it('keeps no process alive that forgot to close it', () => {
    const program = `
      const { openIndex } = await import(${JSON.stringify(PACKAGE)})
      const index = await openIndex(${JSON.stringify(path)}, { threads: 2 })
      console.log((await index.searchBatch([new Float32Array(24)]))[0].length)`
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
      cwd: join(path, '..'),
    })
    expect([stdout, status]).toEqual(['10\n', 0])
  })
})
