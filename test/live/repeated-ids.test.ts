/** Changes of an index where an id may have several vectors, against a Map of arrays. (Built package: it has threads.) */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildIndex, createIndex, InvalidIdError, openIndex, verifyIndex } from '../../dist/src/index.js'
import type { Id, Index, LiveIndex, VectorBatch, VectorRecord } from '../../dist/src/index.js'
import { distanceOf, randomNumbers } from '../fixtures/builds.js'

const DIMENSIONS = 8
let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shardloom-repeated-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

type Model = Map<Id, Float32Array[]>

const textOf = (vectors: readonly Float32Array[]): string[] => vectors.map(String).sort()

/** Everything that the index gives must be what the model has. */
function expectSame(index: Index, model: Model, random: () => number): void {
  expect(index.count).toBe([...model.values()].reduce((sum, list) => sum + list.length, 0))
  expect(index.repeatedIds).toBe(true)
  for (const [id, vectors] of model)
    expect(textOf(index.getAll(id).map(({ vector }) => vector))).toEqual(textOf(vectors))
  const ids = [...model.keys()]
  const kept = ids.filter(() => random() < 0.3)
  const all = index.select(() => true)
  for (let i = 0; i < 3; i++) {
    const query = Float32Array.from({ length: DIMENSIONS }, () => 4 * random() - 2)
    const other = Float32Array.from({ length: DIMENSIONS }, () => 4 * random() - 2)
    const expected = (of: readonly Id[], queries: readonly Float32Array[]): number[] =>
      of
        .map((id) =>
          queries.reduce((sum, q) => sum + Math.min(...(model.get(id) ?? []).map((v) => distanceOf('l2', q, v))), 0),
        )
        .sort((a, b) => a - b)
        .slice(0, 10)
    const wide = { k: 10, ef: 300 } as const
    for (const [hits, distances] of [
      [index.search(query, wide), expected(ids, [query])],
      [index.search(query, { ...wide, filter: all }), expected(ids, [query])],
      [index.search(query, { ...wide, filter: kept }), expected(kept, [query])],
      [index.search([query, other], { ...wide, score: 'maxSim' }), expected(ids, [query, other])],
    ] as const) {
      expect(hits).toHaveLength(distances.length)
      expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length)
      for (const [at, { distance }] of hits.entries()) expect(distance).toBeCloseTo(distances[at], 3)
    }
  }
}

/** Random changes, in all forms, with the model kept in step. */
class Changer {
  readonly model: Model
  readonly random: () => number
  readonly ids: number

  constructor(seed: number, ids: number, model: Model = new Map()) {
    this.random = randomNumbers(seed)
    this.ids = ids
    this.model = model
  }

  id(): Id {
    const number = Math.floor(this.random() * this.ids)
    return number % 2 === 0 ? number : `n${number}`
  }

  rows(count: number): { ids: Id[]; vectors: Float32Array[] } {
    const ids: Id[] = []
    const taken = new Set<Id>()
    while (ids.length < count && taken.size < this.ids) {
      const id = this.id()
      if (taken.has(id)) continue
      taken.add(id)
      for (let i = 0; i <= 4 * this.random() && ids.length < count; i++) ids.push(id)
    }
    // Rows of one id need not be neighbours.
    for (let i = ids.length - 1; i > 0; i--) {
      const other = Math.floor(this.random() * (i + 1))
      ;[ids[i], ids[other]] = [ids[other], ids[i]]
    }
    const vectors = ids.map(() => Float32Array.from({ length: DIMENSIONS }, () => 4 * this.random() - 2))
    for (const id of ids) this.model.set(id, [])
    for (const [at, id] of ids.entries()) this.model.get(id)?.push(vectors[at])
    return { ids, vectors }
  }

  async upsert(index: LiveIndex, count: number): Promise<void> {
    const { ids, vectors } = this.rows(count)
    const form = this.random()
    if (form < 0.4) await index.upsert(ids.map((id, at): VectorRecord => ({ id, vector: vectors[at] })))
    else await index.upsert(batchOf(ids, vectors))
  }

  async delete(index: LiveIndex, count: number): Promise<void> {
    const ids = new Set(Array.from({ length: count }, () => this.id()))
    const there = [...ids].filter((id) => this.model.has(id))
    expect(await index.delete(ids)).toMatchObject({ count: there.length })
    for (const id of ids) this.model.delete(id)
  }

  async some(index: LiveIndex, changes: number): Promise<void> {
    for (let i = 0; i < changes; i++) {
      if (this.random() < 0.7) await this.upsert(index, 1 + Math.floor(60 * this.random()))
      else await this.delete(index, 1 + Math.floor(10 * this.random()))
    }
  }
}

function batchOf(ids: readonly Id[], vectors: readonly Float32Array[]): VectorBatch {
  const rows = new Float32Array(ids.length * DIMENSIONS)
  for (const [at, vector] of vectors.entries()) rows.set(vector, at * DIMENSIONS)
  return { ids, vectors: rows, dimensions: DIMENSIONS }
}

describe('an index that keeps several vectors of an id', () => {
  it.each([1, 2, 3])(
    'is as a Map of arrays, through seals, merges, compactions and reopenings (seed %i)',
    async (seed) => {
      const path = join(root, `map-${seed}`)
      const changer = new Changer(seed, 300)
      let index = await createIndex(path, { dimensions: DIMENSIONS, duplicates: 'keep' })
      const reader = await openIndex(path)
      for (const step of ['', 'flush', 'reopen', 'flush', 'compact', 'flush', 'flush', 'reopen', 'compact', 'reopen']) {
        await changer.some(index, 12)
        if (step === 'flush') await index.flush()
        if (step === 'compact') {
          const report = await index.compact({ threads: 1 })
          expect(report?.distinctIds).toBe(changer.model.size)
          expect(await verifyIndex(path)).toMatchObject({ ok: true })
        }
        if (step === 'reopen') {
          await index.close()
          index = await openIndex(path, { write: true })
        }
        expectSame(index, changer.model, changer.random)
        await reader.refresh()
        expectSame(reader, changer.model, changer.random)
      }
      await index.close()
      await reader.close()
    },
  )

  it('keeps them in parts with a graph, merged with others', async () => {
    const path = join(root, 'graph')
    const changer = new Changer(7, 9000)
    const index = await createIndex(path, { dimensions: DIMENSIONS, duplicates: 'keep' })
    for (let i = 0; i < 5; i++) {
      await changer.upsert(index, 2500)
      await index.flush()
      await changer.delete(index, 50)
    }
    expect(index.live.merges).toBeGreaterThan(0)
    expectSame(index, changer.model, changer.random)
    await index.close()
    const again = await openIndex(path, { write: true })
    expectSame(again, changer.model, changer.random)
    await again.close()
  })

  it('takes a build that keeps them over, and what was changed since stays on top', async () => {
    const path = join(root, 'over')
    const changer = new Changer(11, 200)
    const { ids, vectors } = changer.rows(900)
    await buildIndex([batchOf(ids, vectors)], { path, duplicates: 'keep' })
    const index = await openIndex(path, { write: true })
    expectSame(index, changer.model, changer.random)
    await changer.some(index, 20)
    const source = [...changer.model].flatMap(([id, list]) => list.map((vector): VectorRecord => ({ id, vector })))
    async function* slowly(): AsyncGenerator<VectorRecord> {
      // The build began: these come on top of it.
      await changer.some(index, 10)
      yield* source
    }
    await buildIndex(slowly(), { path, duplicates: 'keep' })
    await changer.some(index, 10)
    await index.flush()
    expect(index.generation).toBe('gen-000002')
    expectSame(index, changer.model, changer.random)
    const reader = await openIndex(path)
    expectSame(reader, changer.model, changer.random)
    await reader.close()
    await index.close()
  })

  it('is what an index becomes when a build that keeps them is taken over', async () => {
    const path = join(root, 'becomes')
    const index = await createIndex(path, { dimensions: DIMENSIONS })
    const one = new Float32Array(DIMENSIONS).fill(1)
    await index.upsert([1, 2, 3].map((id) => ({ id, vector: one })))
    expect(index.repeatedIds).toBe(false)
    const changer = new Changer(5, 40)
    const { ids, vectors } = changer.rows(200)
    await buildIndex([batchOf(ids, vectors)], { path, duplicates: 'keep' })
    await index.flush()
    expectSame(index, changer.model, changer.random)
    await changer.some(index, 10)
    expectSame(index, changer.model, changer.random)
    await index.close()
    const again = await openIndex(path, { write: true })
    expectSame(again, changer.model, changer.random)
    await again.close()
  })
})

describe('an upsert larger than a part in memory', () => {
  // 64 vectors fit.
  const dimensions = 16_384
  const vector = (seed: number): Float32Array => new Float32Array(dimensions).fill(seed)

  async function withIndex(name: string, use: (index: LiveIndex) => Promise<void>): Promise<void> {
    const index = await createIndex(join(root, name), { dimensions, duplicates: 'keep', durability: 'none' })
    try {
      await use(index)
    } finally {
      await index.close()
    }
  }

  it('keeps the vectors of an id together: of a batch, whatever their order', () =>
    withIndex('batch', async (index) => {
      const ids = Array.from({ length: 150 }, (_, row) => row % 50)
      const vectors = new Float32Array(150 * dimensions)
      for (let row = 0; row < 150; row++) vectors[row * dimensions] = row
      await index.upsert({ ids, vectors, dimensions })
      for (let id = 0; id < 50; id++) {
        const firsts = index.getAll(id).map((one) => one.vector[0])
        expect(firsts.sort((a, b) => a - b)).toEqual([id, id + 50, id + 100])
      }
    }))

  it('keeps those of records that follow each other', () =>
    withIndex('records', async (index) => {
      function* source(): Generator<VectorRecord> {
        for (let row = 0; row < 150; row++) yield { id: Math.floor(row / 30), vector: vector(row) }
        yield { id: 'last', vector: vector(1) }
      }
      expect(await index.upsert(source())).toMatchObject({ count: 151 })
      for (let id = 0; id < 5; id++) expect(index.getAll(id)).toHaveLength(30)
      expect(index.getAll('last')).toHaveLength(1)
    }))

  it('refuses an id that comes again, and one with more than fit', () =>
    withIndex('refused', async (index) => {
      function* again(): Generator<VectorRecord> {
        for (let row = 0; row < 140; row++) yield { id: row % 70, vector: vector(row) }
      }
      await expect(index.upsert(again())).rejects.toThrow(/comes again after its vectors were written/)
      const many = Array.from({ length: 65 }, (): VectorRecord => ({ id: 'many', vector: vector(1) }))
      await expect(index.upsert(many)).rejects.toThrow(InvalidIdError)
      await index.upsert(many.slice(1))
      expect(index.getAll('many')).toHaveLength(64)
    }))
})
