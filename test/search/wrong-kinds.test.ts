/** What programs without types pass to the functions of an open index, by its kind. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InvalidIdError, InvalidOptionError, InvalidVectorError, ShardloomError } from '../../src/errors.js'
import type { SearchOptions } from '../../src/api/search.js'
import type { Id } from '../../src/api/vectors.js'
import { openIndex } from '../../src/live/open-index.js'
import type { VectorIndex } from '../../src/search/vector-index.js'
import { nearestGraph, randomRows, randomSource } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

const wish = { seed: 3, count: 300, dimensions: 8, m: 6, values: 'reals', metric: 'l2' } as const
const LARGE = 9_007_199_254_740_993n
/** Numbers, names, and integers beyond 2^53 as text. */
const ids = Array.from({ length: wish.count }, (_, node): Id =>
  node % 3 === 0 ? node : node % 3 === 1 ? `id-${node}` : String(LARGE + BigInt(node)),
)
const query = randomRows(randomSource(1), 1, wish.dimensions, 'reals')

let root: string
let index: VectorIndex
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-kinds-'))
  await writeIndex(root, nearestGraph(wish), ids)
  index = await openIndex(root)
})
afterAll(async () => {
  await index.close()
  await rm(root, { recursive: true, force: true })
})

/** Fails when something waits for it. */
const failing = { then: (_: unknown, fail: (error: Error) => void) => fail(new Error('x')) }
const search = (options: unknown): unknown => index.search(query, options as SearchOptions)

describe('a search', () => {
  it.each<[string, unknown, string]>([
    ['an unknown option', { topK: 5 }, 'unknown option "topK"'],
    ['an option in kebab case', { reRank: 5 }, 'did you mean "rerank"?'],
    ['text for a number', { k: '5' }, 'k must be an integer from 1 to 4294967295, got "5"'],
    ['null for a number', { ef: null }, 'ef must be an integer'],
    ['null for options', null, 'options must be an object, got null'],
    ['a number for options', 10, 'options must be an object, got the number 10'],
    ['a Promise of options', Promise.resolve({}), 'options must be an object, got a Promise'],
    ['an async filter', { filter: () => Promise.resolve(false) }, 'a filter must return true or false, got a Promise'],
    ['a filter that fails later', { filter: () => Promise.reject(new Error('x')) }, 'give a Set of ids'],
    ['a filter that returns nothing', { filter: () => undefined }, 'got undefined for the id'],
    ['a filter that returns a number', { filter: () => 1 }, 'got the number 1'],
    ['text as a filter', { filter: 'id-1' }, 'filter must be an object of conditions on fields, a function of the id'],
    ['null as a filter', { filter: null }, 'got null'],
    ['a Promise of a filter', { filter: Promise.resolve({ a: 1 }) }, 'got a Promise: await it'],
    ['a Promise of a filter that fails', { filter: failing }, 'got a Promise: await it'],
    ['fields to filter by, where there are none', { filter: { id: 1 } }, 'build it with the option `fields`'],
    ['fields to select, where there are none', { select: ['id'] }, 'build it with the option `fields`'],
    ['words, where there are no fields', { text: 'a' }, 'build it with the option `fields`'],
    ['how words are united, without words', { fusion: 'rrf' }, 'give `text` too'],
    ['where words are looked for, without words', { textFields: ['title'] }, 'give `text` too'],
    ['another fusion', { text: 'a', fusion: 'sum' }, 'fusion must be one of rrf'],
    ['words with several vectors', { text: 'a', score: 'maxSim' }, "leave out `score: 'maxSim'`, or `text`"],
  ])('refuses %s', (_, options, message) => {
    expect(() => search(options)).toThrow(InvalidOptionError)
    expect(() => search(options)).toThrow(message)
  })

  it.each<[string, unknown, string]>([
    ['no query', undefined, 'query 0 is undefined'],
    ['a Promise', Promise.resolve(query), 'query 0 is a Promise: await it'],
    ['numbers as text', Array.from(query, String), 'pass vector.map(Number)'],
    ['null among numbers', [...query.subarray(0, 7), null], 'has null at position 7'],
  ])('refuses %s as a query', (_, given, message) => {
    expect(() => index.search(given as Float32Array)).toThrow(InvalidVectorError)
    expect(() => index.search(given as Float32Array)).toThrow(message)
  })

  it('takes a query as databases give it', () => {
    const hits = index.search(query)
    const bytes = Buffer.from(query.buffer, query.byteOffset, query.byteLength)
    expect(index.search(bytes)).toEqual(hits)
    expect(index.search(`[${Array.from(query).join(',')}]`)).toEqual(hits)
  })

  it('takes a Set or an array of ids as a filter, and says a wrong id', async () => {
    const some = ['id-1', 3, LARGE + 5n, 'unknown']
    const options = { k: 10, ef: 300, filter: index.select(some) }
    const hits = index.search(query, options)
    expect(hits.map(({ id }) => id).sort()).toEqual([3, String(LARGE + 5n), 'id-1'])
    expect(index.search(query, { ...options, filter: new Set(some) })).toEqual(hits)
    expect(await index.searchBatch([query], { ...options, filter: some })).toEqual([hits])
    expect(() => search({ filter: [1.5] })).toThrow(InvalidIdError)
    expect(index.search(query, { filter: [] })).toEqual([])
  })
})

describe('other functions of an index', () => {
  it.each<[string, () => unknown, string]>([
    ['searchBatch of nothing', () => index.searchBatch(undefined as never), 'queries must be an array of vectors'],
    ['searchBatch of one vector', () => index.searchBatch([...query] as never), 'query 0 is the number'],
    [
      'searchBatch with an unknown option',
      () => index.searchBatch([query], { top: 1 } as never),
      'unknown option "top"',
    ],
    ['select of text', () => index.select('abc'), 'select takes a function of the id'],
    ['select of nothing', () => index.select(undefined as never), 'got undefined'],
    ['an async select', () => index.select((() => Promise.resolve(true)) as never), 'got a Promise'],
    ['get of nothing', () => index.get(undefined as never), 'an id must be a string or an integer, got undefined'],
    ['recallCurve of null', () => index.recallCurve(null as never), 'options must be an object, got null'],
    ['tune of nothing', () => index.tune(undefined as never), 'options must be an object, got undefined'],
    ['tune with text', () => index.tune({ recall: '0.9' as never }), 'recall must be a number'],
    [
      'an async onProgress',
      () => index.recallCurve({ sample: 5, ef: [20], onProgress: () => Promise.reject(new Error('late')) as never }),
      'onProgress returned a Promise, which nothing awaits',
    ],
    ['openIndex of nothing', () => openIndex(undefined as never), 'must be a path, got undefined'],
    ['openIndex of a URL', () => openIndex(new URL('file:///a') as never), 'got a URL: pass fileURLToPath(url)'],
    ['openIndex with an unknown option', () => openIndex(root, { mmap: true } as never), 'unknown option "mmap"'],
  ])('refuse %s', async (_, call, message) => {
    const failure = await Promise.resolve()
      .then(call)
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ShardloomError)
    expect((failure as Error).message).toContain(message)
  })

  it('say once in a process that an ef below k is raised', async () => {
    const program = `
      import { openIndex } from ${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)}
      const index = await openIndex(${JSON.stringify(root)})
      const query = new Float32Array(index.dimensions)
      for (const asked of [{ k: 20, ef: 5 }, { k: 30, ef: 5 }, { k: 100 }]) index.search(query, asked)
      await index.close()`
    const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    expect(stderr.match(/Warning: .*/g)).toEqual([expect.stringContaining('ef 5 is below k 20, and 20 is used')])
  })
})

describe('integer ids', () => {
  it('are found by bigints, and are bigints in results where that is asked for', async () => {
    const large = LARGE + 2n
    expect(index.get(large)).toEqual(index.get(String(large)))
    expect(index.get(3n)).toEqual(index.get(3))
    const exact = await openIndex(root, { integerIds: 'bigint' })
    expect(exact.get(3)?.id).toBe(3n)
    expect(exact.get(String(large))?.id).toBe(large)
    expect(exact.get('id-1')?.id).toBe('id-1')
    const seen: (string | bigint)[] = []
    const hits = exact.search(query, { k: wish.count, ef: wish.count, filter: (id) => seen.push(id) > 0 })
    expect(new Set(hits.map(({ id }) => id))).toEqual(
      new Set(ids.map((id, node) => (node % 3 === 1 ? id : BigInt(id)))),
    )
    expect(seen.every((id) => typeof id === 'bigint' || id.startsWith('id-'))).toBe(true)
    await exact.close()
  })
})
