import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IndexClosedError, InvalidIdError } from '../../src/errors.js'
import type { VectorIndex } from '../../src/search/vector-index.js'
import { openIndex } from '../../src/live/open-index.js'
import type { Id } from '../../src/api/vectors.js'
import { bruteForce, nearestGraph, randomRows, randomSource } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

const wish = { seed: 3, count: 600, dimensions: 8, m: 6, values: 'reals', metric: 'l2' } as const
const graph = nearestGraph(wish)
/** Every third id is a number, the others are strings. */
const ids = Array.from({ length: wish.count }, (_, node): Id => (node % 3 === 0 ? node : `id-${node}`))
const nodeOf = (id: Id): number => (typeof id === 'number' ? id : Number(id.slice(3)))
const query = (seed: number): Float32Array => randomRows(randomSource(seed), 1, wish.dimensions, 'reals')

let root: string
let index: VectorIndex
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-filter-'))
  await writeIndex(join(root, 'an.index'), graph, ids)
  index = await openIndex(join(root, 'an.index'))
})
afterAll(async () => {
  await index.close()
  await rm(root, { recursive: true, force: true })
})

/** The exact k nearest vectors that the filter keeps. */
function expected(asked: Float32Array, k: number, keeps: (node: number) => boolean): Id[] {
  return bruteForce(graph, asked, wish.count)
    .filter(({ node }) => keeps(node))
    .slice(0, k)
    .map(({ node }) => ids[node])
}

const FILTERS: [string, (node: number) => boolean][] = [
  ['all', () => true],
  ['half of them', (node) => node % 2 === 0],
  ['a tenth', (node) => node % 10 === 7],
  ['three', (node) => [5, 300, 599].includes(node)],
  ['one', (node) => node === 77],
  ['none', () => false],
]

describe('a filter that keeps', () => {
  it.each(FILTERS)('%s finds the nearest of them, at most k', (_, keeps) => {
    const set = index.select((id) => keeps(nodeOf(id)))
    for (let seed = 0; seed < 20; seed++) {
      const exact = expected(query(seed), 10, keeps)
      // Wide enough to be exact on this graph: the test is about the filter.
      const options = { k: 10, ef: 300 }
      expect(index.search(query(seed), { ...options, filter: set }).map(({ id }) => id)).toEqual(exact)
      const filter = (id: Id): boolean => keeps(nodeOf(id))
      expect(index.search(query(seed), { ...options, filter }).map(({ id }) => id)).toEqual(exact)
    }
  })

  it('only vectors far from the query finds k of them, even with a narrow beam', () => {
    const asked = query(1)
    const far = new Set(
      bruteForce(graph, asked, wish.count)
        .slice(-150)
        .map(({ node }) => node),
    )
    const hits = index.search(asked, { k: 10, ef: 10, filter: index.select((id) => far.has(nodeOf(id))) })
    expect(hits.map(({ id }) => id)).toEqual(expected(asked, 10, (node) => far.has(node)))
  })

  it('gives the distances of a search without it', () => {
    const all = index.search(query(2), { k: 20, ef: 300 })
    const kept = index.search(query(2), { k: 20, ef: 300, filter: (id) => all.some((hit) => hit.id === id) })
    expect(kept).toEqual(all)
  })

  it('works in batches', async () => {
    const filter = index.select((id) => typeof id === 'number')
    const [one, two] = await index.searchBatch([query(1), query(2)], { k: 5, filter })
    expect([one, two]).toEqual([index.search(query(1), { k: 5, filter }), index.search(query(2), { k: 5, filter })])
  })
})

describe('select', () => {
  it('takes ids, ignores unknown ones, and counts repeated ones once', () => {
    const set = index.select(['id-1', 3, 'id-1', 'nothing', 4])
    expect(set.size).toBe(2)
    expect(
      index
        .search(query(1), { filter: set })
        .map(({ id }) => id)
        .sort(),
    ).toEqual([3, 'id-1'])
  })

  it('refuses a value that is not an id', () => {
    expect(() => index.select([1.5])).toThrow(InvalidIdError)
  })
})

describe('get', () => {
  it('gives every vector under its id, and under no other', () => {
    for (let node = 0; node < wish.count; node++) {
      const stored = index.get(ids[node])
      expect(stored?.id).toBe(ids[node])
      expect(stored?.vector).toEqual(graph.vectors.slice(node * wish.dimensions, (node + 1) * wish.dimensions))
    }
    for (const id of ['3', 4, 'id-3', '', -1]) expect(index.get(id)).toBeUndefined()
  })

  it('gives the same vectors in little memory', async () => {
    const little = await openIndex(join(root, 'an.index'), { memory: '400KB' })
    for (const id of ids.slice(0, 50)) expect(little.get(id)).toEqual(index.get(id))
    await little.close()
  })
})

describe('refresh', () => {
  const other = nearestGraph({ ...wish, seed: 8, count: 50, dimensions: 5 })

  async function published(name: string): Promise<{ path: string; live: VectorIndex }> {
    const path = join(root, name)
    await writeIndex(path, graph, ids)
    return { path, live: await openIndex(path) }
  }

  it('changes nothing while no other generation is live', async () => {
    const { live } = await published('same')
    expect(await live.refresh()).toBe(false)
    expect(live.generation).toBe('gen-000001')
    await live.close()
  })

  it('takes over a newer generation of any shape', async () => {
    const { path, live } = await published('newer')
    await writeIndex(path, other)
    expect(live.count).toBe(600)
    expect(await live.refresh()).toBe(true)
    expect(live).toMatchObject({ count: 50, dimensions: 5, generation: 'gen-000002' })
    expect(live.search(new Float32Array(5))).toHaveLength(10)
    await live.close()
  })

  it('lets a batch finish on the generation it began with, then closes its files', async () => {
    const { path, live } = await published('batch')
    const queries = Array.from({ length: 4000 }, (_, seed) => query(seed))
    const alone = live.search(queries[3999], { ef: 600 })
    const batch = live.searchBatch(queries, { ef: 600 })
    await writeIndex(path, other)
    expect(await live.refresh()).toBe(true)
    expect(live.dimensions).toBe(5)
    expect((await batch).at(-1)).toEqual(alone)
    await live.close()
  })

  it('refuses sets of the previous generation', async () => {
    const { path, live } = await published('stale')
    const filter = live.select(['id-1'])
    await writeIndex(path, other)
    await live.refresh()
    expect(() => live.search(new Float32Array(5), { filter })).toThrow(/set of gen-000001, but gen-000002 is searched/)
    await live.close()
  })

  it('keeps the old generation when it fails', async () => {
    const { path, live } = await published('failing')
    const { directory } = await writeIndex(path, other)
    await rm(join(directory, 'links-000.seg'))
    await expect(live.refresh()).rejects.toThrow(/links-000/)
    expect(live.search(query(1))).toHaveLength(10)
    await live.close()
  })

  it('is refused on a closed index', async () => {
    const { live } = await published('closed')
    await live.close()
    await expect(live.refresh()).rejects.toThrow(IndexClosedError)
  })
})
