import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AbortedError, CorruptIndexError, InvalidOptionError, PathError } from '../../src/errors.js'
import { openIndex } from '../../src/live/open-index.js'
import { smallestReaching, type Choice } from '../../src/search/measure/choose-ef.js'
import { randomGraph, randomRows, randomSource, type TestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-tune-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** Random links, and a ring that reaches all nodes: recall rises slowly with ef. */
const random = randomGraph({ seed: 3, metric: 'l2', count: 400, dimensions: 6, m: 4, levels: 0, values: 'reals' })
const linked = (ring: readonly number[]): TestGraph => {
  const neighbours = random.neighbours.map((row) => row.filter((other) => ring.includes(other)))
  for (const [i, node] of ring.entries()) {
    const next = ring[(i + 1) % ring.length]
    neighbours[node] = [next, ...neighbours[node].filter((other) => other !== next)].slice(0, 2 * random.m)
  }
  return { ...random, neighbours, entryPoint: { node: 0, level: 0, index: 0 } }
}
const everyNode = Array.from({ length: 400 }, (_, node) => node)
const graph = linked(everyNode)
const queries = randomRows(randomSource(5), 30, 6, 'reals')
const rows = Array.from({ length: 30 }, (_, i) => queries.subarray(6 * i, 6 * i + 6))

let made = 0
async function saved(): Promise<{ path: string; directory: string }> {
  const path = join(root, String(made++))
  return { path, ...(await writeIndex(path, graph)) }
}

async function choice(recallAt: (ef: number) => number, target: number, least: number, most: number): Promise<Choice> {
  const measure = (ef: number) =>
    Promise.resolve({ ef, recall: recallAt(ef), interval: { low: 0, high: 1 }, queriesPerSecond: 1, p50Ms: 1 })
  return smallestReaching(measure, target, least, most)
}

describe('the choice of ef', () => {
  test('is the smallest ef tried that reaches the target, for any recalls', async () => {
    const cases = fc.record({
      recalls: fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 50, maxLength: 50 }),
      target: fc.integer({ min: 1, max: 10 }),
      least: fc.integer({ min: 1, max: 49 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ recalls, target, least }) => {
        const { chosen, points } = await choice((ef) => recalls[ef], target, least, 49)
        const reaching = points.filter(({ recall }) => recall >= target)
        if (reaching.length > 0) expect(chosen).toEqual(reaching[0])
        else expect(chosen.recall).toBe(Math.max(...points.map(({ recall }) => recall)))
        const widths = points.map(({ ef }) => ef)
        expect(new Set(widths).size).toBe(widths.length)
        expect(widths.every((ef) => ef >= least && ef <= 49)).toBe(true)
        expect(widths).toContain(least)
        if (reaching.length === 0) expect(widths).toContain(49)
      }),
    )
  })

  test('is exact for small ef, and within 1/32 for large', async () => {
    for (let exact = 10; exact <= 2000; exact += exact < 70 ? 1 : 61) {
      const { chosen } = await choice((ef) => (ef >= exact ? 1 : 0), 0.5, 10, 4096)
      expect(chosen.ef).toBeGreaterThanOrEqual(exact)
      expect(chosen.ef - exact).toBeLessThanOrEqual(exact < 64 ? 0 : exact / 32)
    }
  })
})

describe('tune', () => {
  test('stores its choice, which the open index and indexes opened later use', async () => {
    const { path } = await saved()
    const index = await openIndex(path)
    const untuned = rows.map((row) => index.search(row, { k: 10 }))
    expect(untuned).toEqual(rows.map((row) => index.search(row, { k: 10, ef: 64 })))
    const result = await index.tune({ recall: 0.99, queries })
    expect(result).toMatchObject({ k: 10, targetRecall: 0.99, reached: true, stored: true, source: 'given' })
    expect(result.ef).toBeGreaterThan(64)
    expect(result.recall).toBeGreaterThanOrEqual(0.99)
    const again = await openIndex(path)
    const { k, targetRecall, ef, recall, source, tunedAt } = result
    for (const opened of [index, again]) {
      expect(opened.tuning).toEqual([{ k, targetRecall, ef, recall, queries: 30, source, tunedAt }])
      const found = rows.map((row) => opened.search(row))
      expect(found).toEqual(rows.map((row) => opened.search(row, { k: 10, ef })))
      expect(found).not.toEqual(untuned)
      expect(await opened.searchBatch(rows)).toEqual(found)
      await opened.close()
    }
  })

  test('holds for smaller k without their own choice, and not for larger ones', async () => {
    const index = await openIndex((await saved()).path)
    const { ef: wide } = await index.tune({ recall: 0.99, k: 10, queries })
    const { ef: narrow } = await index.tune({ recall: 0.1, k: 3, queries })
    expect(narrow).toBeLessThan(wide)
    const found = (k: number, ef?: number) => rows.map((row) => index.search(row, { k, ef }))
    expect(found(2)).toEqual(found(2, narrow))
    expect(found(3)).toEqual(found(3, narrow))
    expect(found(4)).toEqual(found(4, wide))
    expect(found(11)).toEqual(found(11, 64))
    await index.close()
  })

  test('replaces the choice for the same k', async () => {
    const index = await openIndex((await saved()).path)
    await index.tune({ recall: 0.5, queries })
    const { ef } = await index.tune({ recall: 0.9, queries })
    expect(index.tuning.map((one) => [one.targetRecall, one.ef])).toEqual([[0.9, ef]])
    await index.close()
  })

  test('says when no ef reaches the target, gives the best one, and stores nothing', async () => {
    // No node links to node 7, so no search finds it.
    const path = join(root, 'unreached')
    const { directory } = await writeIndex(path, linked(everyNode.filter((node) => node !== 7)))
    const index = await openIndex(path)
    const own = graph.vectors.subarray(7 * 6, 8 * 6)
    const result = await index.tune({ recall: 1, k: 4, queries: [own] })
    expect(result).toMatchObject({ reached: false, stored: false, recall: 0.75 })
    expect(result.points.at(-1)).toMatchObject({ ef: 400 })
    expect(index.tuning).toEqual([])
    expect(await readdir(directory)).not.toContain('TUNING')
    await index.close()
  })

  test('stores nothing with store: false, and searches stay the same', async () => {
    const { path, directory } = await saved()
    const index = await openIndex(path)
    expect(await index.tune({ recall: 0.9, store: false })).toMatchObject({ reached: true, stored: false })
    expect(index.tuning).toEqual([])
    expect(await readdir(directory)).not.toContain('TUNING')
    await index.close()
  })

  test('refuses before it measures when nothing can be stored, and answers with store: false', async () => {
    const { path, directory } = await saved()
    const index = await openIndex(path)
    await rm(directory, { recursive: true })
    let measured = false
    const tuned = index.tune({ recall: 0.9, queries, onProgress: () => (measured = true) })
    await expect(tuned).rejects.toThrow(PathError)
    expect(measured).toBe(false)
    expect(await index.tune({ recall: 0.9, queries, store: false })).toMatchObject({ reached: true })
    await index.close()
  })

  test('stores nothing when it is aborted', async () => {
    const { path, directory } = await saved()
    const index = await openIndex(path)
    const controller = new AbortController()
    const onProgress = (): void => controller.abort()
    await expect(index.tune({ recall: 0.9, signal: controller.signal, onProgress })).rejects.toThrow(AbortedError)
    expect(await readdir(directory)).not.toContain('TUNING')
    await index.close()
  })

  test('belongs to one generation: a newer one has no choices', async () => {
    const { path } = await saved()
    const index = await openIndex(path)
    await index.tune({ recall: 0.9, queries })
    await writeIndex(path, graph)
    expect(await index.refresh()).toBe(true)
    expect(index.tuning).toEqual([])
    await index.close()
  })

  test.each([0, -1, 1.1, NaN, '0.9', undefined])('refuses a recall of %s', async (recall) => {
    const index = await openIndex((await saved()).path)
    await expect(index.tune({ recall: recall as number })).rejects.toThrow(InvalidOptionError)
    await index.close()
  })
})

test('an index with damaged choices is not opened, and the error says what to do', async () => {
  const { path, directory } = await saved()
  await writeFile(join(directory, 'TUNING'), '00000000 {}\n')
  const opened: unknown = await openIndex(path).catch((error: unknown) => error)
  expect(opened).toBeInstanceOf(CorruptIndexError)
  expect(opened).toMatchObject({ path: join(directory, 'TUNING') })
  expect((opened as Error).message).toContain('this file can be deleted')
  await rm(join(directory, 'TUNING'))
  await (await openIndex(path)).close()
})
