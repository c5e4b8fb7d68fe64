import { cp, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CorruptIndexError,
  DimensionMismatchError,
  IndexClosedError,
  InsufficientMemoryError,
  InvalidOptionError,
  InvalidVectorError,
  PathError,
} from '../../src/errors.js'
import { openIndex } from '../../src/live/open-index.js'
import type { Id, Metric } from '../../src/api/vectors.js'
import type { SearchOptions } from '../../src/api/search.js'
import {
  bruteForce,
  loadCore,
  nearestGraph,
  randomGraph,
  randomRows,
  randomSource,
  type TestGraph,
} from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-open-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const wish = { seed: 4, count: 60, dimensions: 7, m: 6, values: 'integers' } as const
const metrics: readonly Metric[] = ['l2', 'cosine', 'ip']
const query = (seed: number): Float32Array => randomRows(randomSource(seed), 1, wish.dimensions, 'integers')

async function saved(name: string, graph: TestGraph, ids?: readonly Id[]): Promise<string> {
  const path = join(root, name)
  await writeIndex(path, graph, ids)
  return path
}

describe('an opened index', () => {
  test('has the facts of its manifest', async () => {
    const path = await saved('facts', nearestGraph({ ...wish, metric: 'l2' }))
    const index = await openIndex(path)
    const { count, dimensions, metric, m, generation } = index
    expect({ count, dimensions, metric, m, generation, path: index.path }).toEqual({
      count: 60,
      dimensions: 7,
      metric: 'l2',
      m: 6,
      generation: 'gen-000001',
      path,
    })
    expect(index.bytes).toBeGreaterThan(60 * (4 * 7 + 4 * 13))
    await index.close()
  })

  test.each(['l2', 'ip'] as const)('finds the exact neighbours of a small %s index', async (metric) => {
    const graph = nearestGraph({ ...wish, metric })
    const index = await openIndex(await saved(`exact-${metric}`, graph))
    const hits = index.search(query(1), { k: 15, ef: 60 })
    expect(hits).toEqual(bruteForce(graph, query(1), 15).map(({ node, distance }) => ({ id: node, distance })))
    await index.close()
  })

  test('compares only directions under cosine, and does not change the query', async () => {
    const plain = nearestGraph({ ...wish, metric: 'cosine', values: 'reals' })
    const unit = { ...plain, vectors: plain.vectors.slice() }
    for (let node = 0; node < unit.count; node++) normalise(unit.vectors.subarray(node * 7, node * 7 + 7))
    const index = await openIndex(await saved('cosine', unit))
    const long = Float32Array.from(query(2), (x) => (x + 0.5) * 1000)
    const before = long.slice()
    const hits = index.search(long, { k: 5, ef: 60 })
    expect(long).toEqual(before)
    const direction = normalise(long.slice())
    const expected = bruteForce(unit, direction, 5)
    expect(hits.map((hit) => hit.id)).toEqual(expected.map(({ node }) => node))
    hits.forEach((hit, i) => expect(hit.distance).toBeCloseTo(expected[i].distance, 5))
    await index.close()
  })

  test('descends its upper levels like the graph it was written from', async () => {
    const graph = randomGraph({ ...wish, metric: 'l2', levels: 2 })
    const core = loadCore(graph)
    const index = await openIndex(await saved('upper', graph))
    for (let seed = 0; seed < 30; seed++) {
      const found = core.search(query(seed), 5, 10)
      expect(index.search(query(seed), { k: 5, ef: 10 }).map((hit) => hit.id)).toEqual([...core.nodes.slice(0, found)])
    }
    await index.close()
  })

  test("answers in the caller's ids: strings of any script and integers of any sign", async () => {
    const ids = Array.from({ length: 60 }, (_, node): Id => (node % 2 === 0 ? `doc-é漢🙂-${node}` : -node * 1e10))
    const graph = nearestGraph({ ...wish, metric: 'l2' })
    const index = await openIndex(await saved('ids', graph, ids))
    const hits = index.search(query(3), { k: 60, ef: 60 })
    expect(hits.map((hit) => hit.id)).toEqual(bruteForce(graph, query(3), 60).map(({ node }) => ids[node]))
    await index.close()
  })

  test('gives all vectors when k is larger than the count', async () => {
    const index = await openIndex(await saved('few', nearestGraph({ ...wish, metric: 'l2', count: 3 })))
    expect(index.search(query(1), { k: 1000 })).toHaveLength(3)
    await index.close()
  })

  test('uses k = 10 and ef = 64 by default, and a beam of at least k', async () => {
    const index = await openIndex(await saved('defaults', nearestGraph({ ...wish, metric: 'l2' })))
    expect(index.search(query(1))).toEqual(index.search(query(1), { k: 10, ef: 64 }))
    expect(index.search(query(1), { k: 20, ef: 1 })).toEqual(index.search(query(1), { k: 20, ef: 20 }))
    await index.close()
  })

  test('reads queries of every numeric kind', async () => {
    const index = await openIndex(await saved('kinds', nearestGraph({ ...wish, metric: 'l2' })))
    const numbers = [1, 0, 2, 1, 0, 3, 1]
    const expected = index.search(Float32Array.from(numbers))
    for (const same of [numbers, Float64Array.from(numbers), Int8Array.from(numbers), Uint8Array.from(numbers)]) {
      expect(index.search(same)).toEqual(expected)
    }
    await index.close()
  })
})

function normalise(row: Float32Array): Float32Array {
  const norm = Math.hypot(...row)
  return row.map((x, i) => (row[i] = x / norm))
}

describe('a batch', () => {
  test('gives each query the hits of a single search, from a list or from row-major rows', async () => {
    const index = await openIndex(await saved('batch', nearestGraph({ ...wish, metric: 'l2' })))
    const queries = Array.from({ length: 40 }, (_, i) => query(i))
    const expected = queries.map((one) => index.search(one, { k: 4 }))
    expect(await index.searchBatch(queries, { k: 4 })).toEqual(expected)
    const rows = Float32Array.from(queries.flatMap((one) => [...one]))
    expect(await index.searchBatch(rows, { k: 4 })).toEqual(expected)
    expect(await index.searchBatch([], { k: 4 })).toEqual([])
    await index.close()
  })

  test('names the query that is wrong', async () => {
    const index = await openIndex(await saved('batch-wrong', nearestGraph({ ...wish, metric: 'l2' })))
    await expect(index.searchBatch([query(1), [1, 2]])).rejects.toThrow('query 1 has 2 dimensions, expected 7')
    await expect(index.searchBatch(new Float32Array(16))).rejects.toThrow('query 2 has 2 dimensions, expected 7')
    await index.close()
  })
})

describe('a search refuses', () => {
  test('a query of the wrong length', async () => {
    const index = await openIndex(await saved('length', nearestGraph({ ...wish, metric: 'l2' })))
    expect(() => index.search([1, 2, 3])).toThrow(DimensionMismatchError)
    expect(() => index.search([1, 2, 3])).toThrow('query 0 has 3 dimensions, expected 7')
    await index.close()
  })

  test.each(metrics)('numbers that are not finite, under %s', async (metric) => {
    const index = await openIndex(await saved(`finite-${metric}`, nearestGraph({ ...wish, metric })))
    for (const bad of [NaN, Infinity, -Infinity, 1e39]) {
      expect(() => index.search([1, 2, 3, bad, 5, 6, 7])).toThrow(InvalidVectorError)
      expect(() => index.search([1, 2, 3, bad, 5, 6, 7])).toThrow('at position 3')
    }
    await index.close()
  })

  test('a query of zeros under cosine only', async () => {
    for (const metric of metrics) {
      const index = await openIndex(await saved(`zero-${metric}`, nearestGraph({ ...wish, metric })))
      const search = (): unknown => index.search(new Float32Array(7))
      if (metric === 'cosine') expect(search).toThrow(InvalidVectorError)
      else expect(search).not.toThrow()
      await index.close()
    }
  })

  test.each([{ k: 0 }, { k: 1.5 }, { k: -1 }, { k: NaN }, { ef: 0 }, { ef: 2.5 }, { k: '3' }] as SearchOptions[])(
    'options like %o',
    async (options) => {
      const index = await openIndex(
        await saved(`options-${JSON.stringify(options)}`, nearestGraph({ ...wish, metric: 'l2' })),
      )
      expect(() => index.search(query(1), options)).toThrow(InvalidOptionError)
      await index.close()
    },
  )

  test('to run after close, which may be called twice', async () => {
    const index = await openIndex(await saved('closed', nearestGraph({ ...wish, metric: 'l2' })))
    await index.close()
    await index.close()
    expect(() => index.search(query(1))).toThrow(IndexClosedError)
    await expect(index.searchBatch([query(1)])).rejects.toThrow(IndexClosedError)
  })
})

describe('opening refuses', () => {
  test('a folder without an index', async () => {
    await expect(openIndex(join(root, 'nothing-here'))).rejects.toThrow(PathError)
  })

  test('an index with a wrong bit in any of its files', async () => {
    const ids = Array.from({ length: 60 }, (_, node) => `id-${node}`)
    const whole = join(root, 'whole')
    const { directory } = await writeIndex(whole, randomGraph({ ...wish, metric: 'l2', levels: 2 }), ids)
    const generation = directory.slice(whole.length + 1)
    const names = await readdir(directory)
    expect(names).toHaveLength(9)
    // A search does not read the id table, which finds nodes by id.
    for (const name of names.filter((each) => each !== 'id-table.seg')) {
      for (const place of ['first', 'middle', 'last'] as const) {
        const damaged = join(root, `damaged-${name}-${place}`)
        await cp(whole, damaged, { recursive: true })
        await flipBit(join(damaged, generation, name), place)
        await expect(openIndex(damaged, { preload: true }), `${name}, ${place} byte`).rejects.toThrow(CorruptIndexError)
      }
    }
  })

  test('an index that lacks a file', async () => {
    const path = join(root, 'lacking')
    const { directory } = await writeIndex(path, nearestGraph({ ...wish, metric: 'l2' }))
    await rm(join(directory, 'links-001.seg'))
    await expect(openIndex(path)).rejects.toThrow(/links-001\.seg/)
  })
})

describe('an index in little memory', () => {
  const shape = { seed: 9, count: 3000, dimensions: 40, m: 4, values: 'reals' } as const

  /** Random links, and a ring that reaches all nodes. */
  const connected = (metric: Metric): TestGraph => {
    const graph = randomGraph({ ...shape, metric, levels: 2 })
    const neighbours = graph.neighbours.map((row, node) =>
      [...new Set([(node + 1) % shape.count, ...row])].slice(0, 2 * shape.m),
    )
    return { ...graph, neighbours }
  }

  test.each(metrics)('gives the same answers as in enough memory, to the bit (%s)', async (metric) => {
    const ids = Array.from({ length: shape.count }, (_, node) => `id-${node}`)
    const path = await saved(`paged-${metric}`, connected(metric), ids)
    const [whole, preloaded, paged] = [
      await openIndex(path),
      await openIndex(path, { preload: true }),
      await openIndex(path, { memory: '280KB' }),
    ]
    for (let seed = 0; seed < 40; seed++) {
      const asked = randomRows(randomSource(seed), 1, shape.dimensions, 'reals')
      const expected = whole.search(asked, { k: 20, ef: 50 })
      expect(expected).toHaveLength(20)
      expect(paged.search(asked, { k: 20, ef: 50 })).toEqual(expected)
      expect(preloaded.search(asked, { k: 20, ef: 50 })).toEqual(expected)
    }
    for (const index of [whole, preloaded, paged]) await index.close()
  })

  test('is refused when that is too little for a search, and the error says how much is needed', async () => {
    const path = await saved('too-little', connected('l2'))
    const refusal: unknown = await openIndex(path, { memory: 20_000 }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(InsufficientMemoryError)
    const { neededBytes } = (refusal as InsufficientMemoryError).details
    const index = await openIndex(path, { memory: neededBytes })
    expect(index.search(new Float32Array(shape.dimensions))).toHaveLength(10)
    await index.close()
  })

  test('cannot be preloaded when it does not fit', async () => {
    const path = await saved('preload-little', connected('l2'))
    await expect(openIndex(path, { memory: '280KB', preload: true })).rejects.toThrow(
      /preload and threads need the whole index/,
    )
  })

  test('finds a damaged block when a search reads it, and says where', async () => {
    const path = join(root, 'damaged-later')
    const { directory } = await writeIndex(path, connected('l2'))
    await flipBit(join(directory, 'vectors-001.seg'), 'middle')
    const index = await openIndex(path)
    expect(() => index.search(new Float32Array(shape.dimensions), { k: 3000 })).toThrow(CorruptIndexError)
    expect(() => index.search(new Float32Array(shape.dimensions), { k: 3000 })).toThrow(/vectors-001\.seg at byte/)
    await index.close()
  })

  test('closes its files', async () => {
    const path = await saved('files', nearestGraph({ ...wish, metric: 'l2' }))
    const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length
    const before = await openFiles()
    const index = await openIndex(path)
    expect(await openFiles()).toBeGreaterThan(before)
    await index.close()
    expect(await openFiles()).toBe(before)
  })

  test('still answers when its generation is deleted', async () => {
    const path = join(root, 'deleted')
    const { directory } = await writeIndex(path, connected('l2'))
    const index = await openIndex(path)
    await rm(directory, { recursive: true })
    expect(index.search(new Float32Array(shape.dimensions))).toHaveLength(10)
    await index.close()
  })
})

/** 'middle' is in the data, near its end. The header page has 4096 bytes, the footer at least 8. */
async function flipBit(path: string, place: 'first' | 'middle' | 'last'): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    const { size } = await handle.stat()
    const position = { first: 0, middle: Math.max(size - 20, 0), last: size - 1 }[place]
    const byte = new Uint8Array(1)
    await handle.read(byte, 0, 1, position)
    byte[0] ^= 16
    await handle.write(byte, 0, 1, position)
  } finally {
    await handle.close()
  }
}

test('an index that was opened by a relative path is refreshed and tuned in whatever folder the process works', async () => {
  const path = await saved('relative', randomGraph({ ...wish, metric: 'l2', levels: 2 }))
  const before = process.cwd()
  process.chdir(root)
  try {
    const index = await openIndex('relative')
    await writeIndex(path, randomGraph({ ...wish, seed: 5, metric: 'l2', levels: 2 }))
    process.chdir(tmpdir())
    expect(await index.refresh()).toBe(true)
    expect(index).toMatchObject({ generation: 'gen-000002', path })
    await index.tune({ k: 1, recall: 0.01, sample: 10 })
    expect(await readdir(join(path, 'gen-000002'))).toContain('TUNING')
    await index.close()
  } finally {
    process.chdir(before)
  }
})
