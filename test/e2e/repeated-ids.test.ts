/** Several vectors of one id: built, found as one, asked for by several. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  openIndex,
  readManifest,
  InvalidOptionError,
  type Id,
  type Index,
  type Metric,
  type Quantization,
  type VectorRecord,
} from '../../dist/src/index.js'
import {
  build,
  contentsOf,
  distanceOf,
  makeFolder,
  makeRows,
  randomNumbers,
  records,
  rowOf,
  segmentsOf,
  type Rows,
} from '../fixtures/builds.js'

const DIMENSIONS = 12

interface Documents {
  readonly rows: Rows
  readonly idOf: (row: number) => Id
  readonly ids: readonly Id[]
}

/** `spread`: of the vectors of a document around its middle; above 1 they have nothing in common. In no order. */
function documents(count: number, vectorsEach: number, spread: number, seed = 1): Documents {
  const random = randomNumbers(seed)
  const bell = (): number => random() + random() + random() + random() - 2
  const owners = Array.from({ length: count }, (_, at) =>
    new Array<number>(1 + Math.floor(random() * (2 * vectorsEach - 1))).fill(at),
  ).flat()
  for (let i = owners.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    ;[owners[i], owners[other]] = [owners[other], owners[i]]
  }
  const middles = makeRows(count, DIMENSIONS, () => (spread > 1 ? 0 : bell()))
  const rows = makeRows(owners.length, DIMENSIONS, (row, d) => rowOf(middles, owners[row])[d] + spread * bell())
  const ids = Array.from({ length: count }, (_, at): Id => (at % 2 === 0 ? at : `d${at}`))
  return { rows, ids, idOf: (row) => ids[owners[row]] }
}

/** Every id with its vectors. */
function vectorsOf({ rows, idOf }: Documents): Map<Id, Float32Array[]> {
  const vectors = new Map<Id, Float32Array[]>()
  for (let row = 0; row < rows.count; row++) {
    const list = vectors.get(idOf(row))
    if (list === undefined) vectors.set(idOf(row), [rowOf(rows, row)])
    else list.push(rowOf(rows, row))
  }
  return vectors
}

/** The distance of each id by comparing with every vector, nearest first. */
function exact(metric: Metric, given: Documents, queries: readonly Float32Array[]): { id: Id; distance: number }[] {
  const nearest = (query: Float32Array, vectors: Float32Array[]): number =>
    Math.min(...vectors.map((vector) => distanceOf(metric, query, vector)))
  return [...vectorsOf(given)]
    .map(([id, vectors]) => ({ id, distance: queries.reduce((sum, query) => sum + nearest(query, vectors), 0) }))
    .sort((a, b) => a.distance - b.distance)
}

function queriesNear({ rows }: Documents, count: number, seed: number): Float32Array[] {
  const random = randomNumbers(seed)
  return Array.from({ length: count }, () =>
    rowOf(rows, Math.floor(random() * rows.count)).map((x) => x + 0.3 * (random() - 0.5)),
  )
}

/** Share of the exact nearest k that are found; every hit must have the distance of its id. */
function recallOf(
  hits: readonly { readonly id: Id; readonly distance: number }[],
  nearest: readonly { readonly id: Id; readonly distance: number }[],
  k: number,
): number {
  expect(hits).toHaveLength(Math.min(k, nearest.length))
  expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length)
  const kth = nearest[hits.length - 1].distance
  const tolerance = 1e-4 * Math.max(1, Math.abs(kth))
  return hits.filter(({ distance }) => distance <= kth + tolerance).length / hits.length
}

const SHAPES: [string, Documents][] = [
  ['one vector each', documents(3000, 1, 2)],
  ['vectors with nothing in common', documents(800, 5, 2)],
  ['a few near each other', documents(800, 5, 0.1)],
  ['many near each other', documents(60, 60, 0.05)],
]

describe.each(SHAPES)('an index of ids with %s', (_, given) => {
  it.each<[Metric, Quantization, number]>([
    ['l2', 'f32', 0.97],
    ['cosine', 'sq8', 0.97],
    ['ip', 'f32', 0.95],
    ['l2', 'pq', 0.85],
  ])('finds the nearest ids, each once (%s, %s)', async (metric, quantization, least) => {
    const { path } = await build(records(given.rows, given.idOf), { metric, quantization, duplicates: 'keep' })
    const index = await openIndex(path)
    let recall = 0
    const queries = queriesNear(given, 30, 5)
    for (const query of queries) {
      const hits = index.search(query)
      recall += recallOf(hits, exact(metric, given, [query]), 10)
      expect(hits.map(({ distance }) => distance)).toEqual(hits.map(({ distance }) => distance).sort((a, b) => a - b))
    }
    expect(recall / queries.length).toBeGreaterThanOrEqual(least)
    await index.close()
  })
})

describe('an index where ids may repeat', () => {
  const given = documents(400, 5, 0.2, 9)
  let path: string
  let index: Index
  beforeAll(async () => {
    ;({ path } = await build(records(given.rows, given.idOf), { duplicates: 'keep' }))
    index = await openIndex(path)
  })
  afterAll(() => index.close())

  it('says so, and how many there are', async () => {
    const { manifest } = await readManifest(path)
    expect(manifest).toMatchObject({ count: given.rows.count, distinctIds: 400 })
    expect(manifest.report).toMatchObject({ distinctIds: 400, skippedDuplicates: 0 })
    expect(index).toMatchObject({ repeatedIds: true, count: given.rows.count })
  })

  it('has the same bytes for any threads and memory', async () => {
    const options = { duplicates: 'keep', quality: 'balanced' } as const
    const one = await build(records(given.rows, given.idOf), { ...options, threads: 1 })
    const two = await build(records(given.rows, given.idOf), { ...options, threads: 2, queueBytes: 0 })
    expect(segmentsOf(two)).toEqual(segmentsOf(one))
    expect(Object.keys(contentsOf(two.path))).toContain('CURRENT')
  })

  it('has the same bytes when an interrupted build goes on', async () => {
    const options = { duplicates: 'keep', quality: 'balanced', sourceFingerprint: 'one' } as const
    const whole = await build(records(given.rows, given.idOf), options)
    const resumed = join(makeFolder(), 'resumed.index')
    const all = [...records(given.rows, given.idOf)]
    let failures = 0
    const source = (startAt: number): Iterable<VectorRecord> =>
      (function* from() {
        for (const [at, record] of all.slice(startAt).entries()) {
          if (at === 700 && failures++ === 0) throw new Error('the source broke')
          yield record
        }
      })()
    await expect(build(source, { ...options, path: resumed })).rejects.toThrow('the source broke')
    const again = await build(source, { ...options, path: resumed })
    expect(again.report.resumed?.vectors).toBeGreaterThan(0)
    expect(segmentsOf(again)).toEqual(segmentsOf(whole))
  })

  it('gives all vectors of every id, and none of others', () => {
    const lists = vectorsOf(given)
    const sorted = (vectors: readonly Float32Array[]): string[] => vectors.map(String).sort()
    for (const [id, vectors] of lists) {
      const stored = index.getAll(id)
      expect(sorted(stored.map(({ vector }) => vector))).toEqual(sorted(vectors))
      expect(new Set(stored.map((one) => one.id))).toEqual(new Set([id]))
      expect(index.get(id)).toEqual(stored[0])
    }
    expect(index.getAll('nothing')).toEqual([])
    expect(index.get('nothing')).toBeUndefined()
  })

  it('finds as many ids as there are', () => {
    const hits = index.search(rowOf(given.rows, 0), { k: 1000 })
    expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(given.ids))
    expect(hits).toHaveLength(400)
  })

  it.each<[string, (id: Id) => boolean]>([
    ['half of them', (id) => typeof id === 'number'],
    ['five', (id) => [4, 'd5', 6, 'd7', 8].includes(id)],
    ['none', () => false],
  ])('finds the nearest ids that a filter keeps: %s', (_, keeps) => {
    const kept = given.ids.filter(keeps)
    const set = index.select(kept)
    expect(set.size).toBe([...vectorsOf(given)].reduce((sum, [id, list]) => sum + (keeps(id) ? list.length : 0), 0))
    for (const query of queriesNear(given, 10, 3)) {
      const nearest = exact('l2', given, [query]).filter(({ id }) => keeps(id))
      for (const filter of [set, keeps, index.select(keeps)]) {
        const hits = index.search(query, { k: 10, ef: 200, filter })
        expect(hits.every(({ id }) => keeps(id))).toBe(true)
        if (nearest.length > 0) expect(recallOf(hits, nearest, 10)).toBe(1)
        else expect(hits).toEqual([])
      }
    }
  })

  it.each<Quantization>(['f32', 'pq'])('gives on threads what one thread gives (%s)', async (quantization) => {
    const clusters = documents(40, 50, 0.05, 4)
    const built = await build(records(clusters.rows, clusters.idOf), { quantization, duplicates: 'keep' })
    const [alone, shared] = [await openIndex(built.path), await openIndex(built.path, { threads: 2 })]
    const queries = queriesNear(clusters, 60, 8)
    for (const options of [{}, { k: 3, ef: 20 }, { k: 40 }]) {
      const hits = await shared.searchBatch(queries, options)
      expect(hits).toEqual(await alone.searchBatch(queries, options))
      expect(hits).toEqual(queries.map((query) => alone.search(query, options)))
    }
    const several = Array.from({ length: 20 }, (_, at) => queries.slice(2 * at, 2 * at + 3))
    const scored = await shared.searchBatch(several, { k: 5, score: 'maxSim' })
    expect(scored).toEqual(await alone.searchBatch(several, { k: 5, score: 'maxSim' }))
    await alone.close()
    await shared.close()
  })
})

describe("a query of several vectors with score 'maxSim'", () => {
  it.each<[string, Documents, Metric]>([
    ['vectors with nothing in common', documents(800, 5, 2, 21), 'l2'],
    ['vectors with nothing in common', documents(800, 5, 2, 22), 'cosine'],
    ['vectors near each other', documents(800, 5, 0.2, 23), 'l2'],
    ['vectors near each other', documents(800, 5, 0.2, 24), 'ip'],
    ['one vector', documents(2000, 1, 2, 25), 'cosine'],
  ])('ranks ids of %s as comparing with all does', async (_, given, metric) => {
    const { path } = await build(records(given.rows, given.idOf), { metric, duplicates: 'keep' })
    const index = await openIndex(path)
    let recall = 0
    for (let seed = 0; seed < 12; seed++) {
      const queries = queriesNear(given, 4, 100 + seed)
      const hits = index.search(queries, { score: 'maxSim' })
      const nearest = exact(metric, given, queries)
      const distances = new Map(nearest.map(({ id, distance }) => [id, distance]))
      for (const { id, distance } of hits) expect(distance).toBeCloseTo(distances.get(id) ?? NaN, 3)
      recall += recallOf(hits, nearest, 10) / 12
    }
    expect(recall).toBeGreaterThanOrEqual(0.95)
    await index.close()
  })

  it('takes rows, one vector, and an index whose ids do not repeat', async () => {
    const given = documents(500, 1, 2, 31)
    const { path } = await build(records(given.rows))
    const index = await openIndex(path)
    const query = rowOf(given.rows, 7)
    expect(index.search(query, { k: 5, score: 'maxSim' })).toEqual(index.search(query, { k: 5 }))
    const two = index.search(given.rows.values.subarray(0, 2 * DIMENSIONS), { k: 5, score: 'maxSim' })
    expect(two).toEqual(index.search([rowOf(given.rows, 0), rowOf(given.rows, 1)], { k: 5, score: 'maxSim' }))
    const even = { k: 5, score: 'maxSim', filter: (id: Id) => Number(id) % 2 === 0 } as const
    expect(
      index.search(given.rows.values.subarray(0, 2 * DIMENSIONS), even).every(({ id }) => Number(id) % 2 === 0),
    ).toBe(true)
    await index.close()
  })

  it('refuses no vectors, and another score', async () => {
    const { path } = await build(records(documents(50, 1, 2).rows))
    const index = await openIndex(path)
    expect(() => index.search([], { score: 'maxSim' })).toThrow(InvalidOptionError)
    expect(() => index.search([], { score: 'sum' as 'maxSim' })).toThrow(/score/)
    await expect(index.searchBatch(new Float32Array(12) as never, { score: 'maxSim' })).rejects.toThrow(
      /array of queries/,
    )
    await index.close()
  })
})
