import { describe, expect, it } from 'vitest'
import { buildIndex, createIndex, openIndex, readIndex, type DescribedSource } from '../../dist/src/index.js'
import { temporaryFolder } from '../fixtures/index-files.js'
import { buildBase, LIVE_DIMENSIONS, liveBatch, liveVector, makeLiveIndex, openWriter } from '../fixtures/live-index.js'

const folder = temporaryFolder()

/** Id and vector of every row, in the order of the source. */
async function rowsOf(source: DescribedSource, startAt = 0): Promise<[unknown, string][]> {
  const rows: [unknown, string][] = []
  for await (const item of source(startAt)) {
    if (!('vectors' in item) || item.ids === undefined) throw new Error('a batch with ids is expected')
    for (const [at, id] of [...item.ids].entries()) {
      rows.push([id, item.vectors.subarray(at * item.dimensions, (at + 1) * item.dimensions).join()])
    }
  }
  return rows
}

const expected = (held: Iterable<[number, number]>): [unknown, string][] =>
  [...held].map(([id, version]) => [id, liveVector(id, version).join()])

const byId = (rows: readonly [unknown, string][]): [unknown, string][] =>
  rows.toSorted(([a], [b]) => Number(a) - Number(b))

describe('readIndex', () => {
  it('gives what is alive in the last build, in parts of both kinds and in the log, once each', async () => {
    const path = folder.path('live.index')
    const held = await makeLiveIndex(path)
    const source = await readIndex(path)
    expect(await source.facts()).toMatchObject({ count: held.size, dimensions: LIVE_DIMENSIONS, metric: 'l2' })
    const rows = await rowsOf(source)
    expect(byId(rows)).toEqual(byId(expected(held)))
    for (const startAt of [1, 150, 191, 1000, held.size - 1, held.size]) {
      expect(await rowsOf(source, startAt)).toEqual(rows.slice(startAt))
    }
  })

  it('reads an index that was never changed, and one that was never built', async () => {
    const built = folder.path('built.index')
    await buildBase(built, 30)
    const all = expected(Array.from({ length: 30 }, (_, id): [number, number] => [id, 0]))
    expect(byId(await rowsOf(await readIndex(built)))).toEqual(all)
    const made = folder.path('made.index')
    const index = await createIndex(made, { dimensions: LIVE_DIMENSIONS })
    await index.upsert(liveBatch(0, 30))
    await index.close()
    expect(await rowsOf(await readIndex(made))).toEqual(all)
  })

  it('is a source of a build elsewhere, of the same metric, which can be another quantization', async () => {
    const path = folder.path('cosine.index')
    const index = await createIndex(path, { dimensions: LIVE_DIMENSIONS, metric: 'cosine' })
    await index.upsert(liveBatch(0, 300))
    await index.delete([7])
    await index.close()
    const report = await buildIndex(await readIndex(path), {
      path: folder.path('sq8.index'),
      quantization: 'sq8',
      threads: 1,
    })
    expect(report).toMatchObject({ count: 299, metric: 'cosine', quantization: 'sq8', dimensions: LIVE_DIMENSIONS })
    const copy = await openIndex(folder.path('sq8.index'))
    expect(copy.search(liveVector(8), { k: 1 })[0].id).toBe(8)
    expect(copy.get(7)).toBeUndefined()
    await copy.close()
  })

  it('has another fingerprint after a change, and the same without one', async () => {
    const path = folder.path('print.index')
    await makeLiveIndex(path)
    const printOf = async (): Promise<string | undefined> => (await (await readIndex(path)).facts()).fingerprint
    const before = await printOf()
    expect(before).toBeTypeOf('string')
    expect(await printOf()).toBe(before)
    const index = await openWriter(path)
    await index.upsert(liveBatch(9000, 1))
    await index.close()
    expect(await printOf()).not.toBe(before)
  })

  it('gives what the index was when it was called, and fails when its files are gone', async () => {
    const path = folder.path('gone.index')
    await makeLiveIndex(path)
    const source = await readIndex(path)
    const index = await openWriter(path)
    await index.compact({ threads: 1, keepGenerations: 0 })
    await index.close()
    await expect(rowsOf(source)).rejects.toMatchObject({
      code: 'SHARDLOOM_PATH',
      message: expect.stringContaining('while it was read') as string,
    })
  })

  it('refuses a folder that is no index', async () => {
    await expect(readIndex(folder.path('none'))).rejects.toMatchObject({ code: 'SHARDLOOM_PATH' })
  })
})
