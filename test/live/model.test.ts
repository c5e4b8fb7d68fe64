/** After any sequence of changes, seals, merges, compactions, builds and reopenings: the answers of a Map. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { buildIndex, openIndex, type GivenId, type Id, type Index, type NodeSet } from '../../dist/src/index.js'
import type { LiveIndex } from '../../dist/src/live/live-index.js'
import { assertFields } from '../../src/fields/schema.js'
import { makeFolder, randomNumbers } from '../fixtures/builds.js'
import {
  columnsOf,
  facetsOf,
  FIELD_SCHEMA,
  given,
  MODEL_FILTERS,
  randomFields,
  type ModelFields,
} from '../fixtures/field-model.js'
import { expectContents, expectHits, LiveModel } from '../fixtures/live-model.js'
import { openLive, settings, SMALL_LIMITS, withoutThreads } from '../fixtures/small-live-index.js'
import { WHOLE } from '../whole.js'

const SEEDS = WHOLE ? 200 : 8
/** Every so many sequences have graphs in their parts, or seal in threads: these take longer. */
const [GRAPHS_EVERY, THREADS_EVERY] = [4, 8]
/** Of three sequences two have fields. */
const WITHOUT_FIELDS_EVERY = 3
const OPERATIONS = 50
const METRICS = ['l2', 'cosine', 'ip'] as const
const DIMENSIONS = 6
const EF = 100
const IDS: readonly GivenId[] = [
  ...Array.from({ length: 70 }, (_, i) => i - 10),
  ...Array.from({ length: 30 }, (_, i) => `${i}`),
  ...Array.from({ length: 30 }, (_, i) => `a longer name of ${i}, with é and 🜲`),
  ...Array.from({ length: 10 }, (_, i) => 2n ** 60n + BigInt(i)),
  ...Array.from({ length: 10 }, (_, i) => BigInt(i)),
]
const STORED = IDS.map((id) => (typeof id !== 'bigint' ? id : id > 2n ** 53n ? id.toString() : Number(id)))

const folder = makeFolder()

class Sequence {
  readonly #seed: number
  readonly #random: () => number
  readonly #path: string
  readonly #withGraphs: boolean
  readonly #withFields: boolean
  #model: LiveModel
  #index!: LiveIndex
  #reader: { readonly index: Index; model: LiveModel } | undefined
  #sets: { readonly set: NodeSet; readonly keeps: (id: Id) => boolean }[] = []
  #isExact = true
  #found = 0
  #of = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#random = randomNumbers(seed)
    this.#path = join(folder, `${seed}.index`)
    this.#withGraphs = seed % GRAPHS_EVERY === 1
    this.#withFields = seed % WITHOUT_FIELDS_EVERY !== 0
    this.#model = new LiveModel({ dimensions: DIMENSIONS, metric: METRICS[seed % 3] })
    if (this.#withGraphs) this.#isExact = false
  }

  async run(operations: number): Promise<void> {
    const withThreads = this.#seed % THREADS_EVERY === 1 ? () => undefined : withoutThreads()
    await this.#open(true)
    const done: string[] = []
    try {
      for (let at = 0; at < operations; at++) {
        const [name, operation] = this.#next()
        done.push(name)
        await operation()
        await this.#check()
      }
      await this.#index.close()
      await this.#open(false)
      await this.#check()
      expectContents(this.#index, this.#model, STORED)
      if (this.#of > 0) expect(this.#found / this.#of).toBeGreaterThanOrEqual(0.95)
    } catch (error) {
      throw new Error(`seed ${this.#seed}, after ${done.join(', ')}`, { cause: error })
    } finally {
      await this.#reader?.index.close()
      await this.#index.close()
      withThreads()
      rmSync(this.#path, { recursive: true, force: true })
    }
  }

  #next(): readonly [string, () => Promise<void>] {
    const choice = this.#random()
    if (choice < 0.36) return ['upsert', () => this.#upsert()]
    if (choice < 0.44) return ['upsert one', () => this.#upsertOne()]
    if (choice < 0.5) return ['upsert many at once', () => this.#upsertAtOnce()]
    if (choice < 0.7) return ['delete', () => this.#delete()]
    if (choice < 0.78) return ['flush', () => this.#index.flush()]
    if (choice < 0.84) return ['select', () => this.#select()]
    if (choice < 0.91) return ['refresh', () => this.#refresh()]
    if (choice < 0.96) return ['reopen', () => this.#reopen()]
    if (choice < 0.985) return ['compact', () => this.#compact()]
    return ['build', () => this.#build()]
  }

  async #open(isNew: boolean): Promise<void> {
    const limits = { ...SMALL_LIMITS, ...(!this.#withGraphs && { graphRows: 1e6 }) }
    const durability = this.#seed % 5 === 0 ? 'none' : 'sync'
    const fields = this.#withFields ? { fields: assertFields(FIELD_SCHEMA) } : {}
    const create = isNew ? settings({ ...this.#model.shape, ...fields }) : undefined
    this.#index = await openLive(this.#path, { durability, limits }, create)
    // Sets belong to an index that is open.
    this.#sets = []
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #ids(most: number): GivenId[] {
    return Array.from({ length: 1 + this.#below(most) }, () => IDS[this.#below(IDS.length)])
  }

  #vectors(count: number): Float32Array {
    return Float32Array.from({ length: count * DIMENSIONS }, () => this.#random() - 0.5)
  }

  /** Of so many records; undefined where the index has none. */
  #fields(count: number): ModelFields[] | undefined {
    return this.#withFields ? Array.from({ length: count }, () => randomFields(this.#random)) : undefined
  }

  async #upsert(): Promise<void> {
    const ids = this.#ids(30)
    const vectors = this.#vectors(ids.length)
    const fields = this.#fields(ids.length)
    const batch = { ids, vectors, dimensions: DIMENSIONS, ...(fields && { fields: columnsOf(fields) }) }
    expect(await this.#index.upsert(batch)).toMatchObject({ count: ids.length })
    this.#model.upsert(ids, vectors, fields)
  }

  async #upsertOne(): Promise<void> {
    const [id] = this.#ids(1)
    const vector = this.#vectors(1)
    const fields = this.#fields(1)
    await this.#index.upsert({ id, vector: Array.from(vector), ...(fields && { fields: given(fields[0]) }) })
    this.#model.upsert([id], vector, fields)
  }

  /** Calls that wait together, of different ids. */
  async #upsertAtOnce(): Promise<void> {
    const ids = [...new Map(this.#ids(12).map((id) => [String(id), id])).values()]
    const vectors = this.#vectors(ids.length)
    // Fields that are not given are missing, also where the row before had some.
    const fields = this.#fields(ids.length)?.map((row, at) => (at % 2 === 0 ? row : {}))
    const fieldsAt = (at: number): object => (fields && at % 2 === 0 ? { fields: given(fields[at]) } : {})
    const vectorAt = (at: number): Float32Array => vectors.slice(at * DIMENSIONS, (at + 1) * DIMENSIONS)
    await Promise.all(ids.map((id, at) => this.#index.upsert({ id, vector: vectorAt(at), ...fieldsAt(at) })))
    this.#model.upsert(ids, vectors, fields)
  }

  async #delete(): Promise<void> {
    const ids = this.#ids(20)
    const { count } = await this.#index.delete(ids)
    expect(count).toBe(this.#model.delete(ids))
  }

  #select(): Promise<void> {
    const part = 1 + this.#below(4)
    const keeps = (id: Id): boolean => String(id).length % 5 < part
    const chosen = new Set(this.#ids(60).map((id) => (typeof id === 'bigint' ? STORED[IDS.indexOf(id)] : id)))
    const [set, isIn] =
      this.#random() < 0.5
        ? [this.#index.select(keeps), keeps]
        : [this.#index.select(chosen), (id: Id) => chosen.has(id)]
    expect(set.size).toBe([...this.#model.rows.keys()].filter(isIn).length)
    this.#sets.push({ set, keeps: isIn })
    return Promise.resolve()
  }

  async #refresh(): Promise<void> {
    if (this.#reader === undefined) {
      this.#reader = { index: await openIndex(this.#path), model: this.#model.copy() }
    } else {
      await this.#reader.index.refresh()
      this.#reader.model = this.#model.copy()
    }
    expectContents(this.#reader.index, this.#reader.model, STORED)
  }

  async #reopen(): Promise<void> {
    await this.#index.close()
    await this.#open(false)
    expectContents(this.#index, this.#model, STORED)
  }

  async #compact(): Promise<void> {
    const report = await this.#index.compact()
    this.#isExact = false
    expect(report?.count ?? 0).toBe(this.#model.rows.size)
    if (report !== undefined) expect(this.#index.live).toMatchObject({ parts: 0, deadRows: 0 })
  }

  /** From the source of truth, while it is open for writing: what was changed before is replaced. */
  async #build(): Promise<void> {
    const ids = [...new Set(STORED.filter(() => this.#random() < 0.5))]
    const vectors = this.#vectors(ids.length)
    const { metric } = this.#model.shape
    const fields = this.#fields(ids.length)
    const records = ids.map((id, at) => ({
      id,
      vector: vectors.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS),
      ...(fields && { fields: given(fields[at]) }),
    }))
    const schema = fields && { fields: FIELD_SCHEMA }
    await buildIndex(records, { path: this.#path, metric, m: 8, threads: 1, keepGenerations: 1, ...schema })
    this.#isExact = false
    this.#model = new LiveModel(this.#model.shape)
    this.#model.upsert(ids, vectors, fields)
    // The writer looks for it every second, and at the next flush of something.
    const late = this.#vectors(1)
    await this.#index.upsert({ id: 'late', vector: late })
    await this.#index.compact()
    this.#model.upsert(['late'], late, this.#withFields ? [{}] : undefined)
  }

  async #check(): Promise<void> {
    const query = this.#vectors(1)
    const k = 1 + this.#below(12)
    this.#count(expectHits(this.#index.search(query, { k, ef: EF }), this.#model, query, k))
    const odd = (id: Id): boolean => String(id).length % 2 === 1
    this.#count(expectHits(this.#index.search(query, { k, ef: EF, filter: odd }), this.#model, query, k, odd))
    const one = this.#sets.at(this.#below(this.#sets.length))
    if (one !== undefined) {
      const hits = this.#index.search(query, { k, ef: EF, filter: one.set })
      this.#count(expectHits(hits, this.#model, query, k, one.keeps))
    }
    const [hits] = await this.#index.searchBatch([query], { k, ef: EF, filter: STORED.slice(0, 40) })
    const first = new Set(STORED.slice(0, 40))
    this.#count(expectHits(hits, this.#model, query, k, (id) => first.has(id)))
    if (this.#withFields) this.#checkFields(this.#index, this.#model, query, k)
    if (this.#reader !== undefined) {
      const { index, model } = this.#reader
      this.#count(expectHits(index.search(query, { k, ef: EF }), model, query, k))
      if (this.#withFields) this.#checkFields(index, model, query, k)
    }
    const id = STORED[this.#below(STORED.length)]
    expect(this.#index.get(id) === undefined).toBe(!this.#model.rows.has(id))
    expect(this.#index.count).toBe(this.#model.rows.size)
  }

  #checkFields(index: Index, model: LiveModel, query: Float32Array, k: number): void {
    const { filter, keeps } = MODEL_FILTERS[this.#below(MODEL_FILTERS.length)]
    const isKept = (id: Id): boolean => keeps(model.fields.get(id) ?? {})
    const kept = [...model.fields.keys()].filter(isKept)
    const select = Object.keys(FIELD_SCHEMA)
    const hits = index.search(query, { k, ef: EF, filter, select })
    this.#count(expectHits(hits, model, query, k, isKept))
    for (const { id, fields } of hits) expect(fields).toEqual(model.fields.get(id))
    const facet = (['category', 'tags', 'inStock', 'price'] as const)[this.#below(4)]
    const counted = index.facets({ field: facet, filter })
    const expected = facetsOf(kept.map((id) => model.fields.get(id) ?? {}), facet) // prettier-ignore
    expect(new Map<unknown, number>(counted.map(({ value, count }) => [value, count]))).toEqual(expected)
    const found = index.searchText('solar', { k: 1000, filter }).map(({ id }) => id)
    const withWord = kept.filter((id) => model.fields.get(id)?.title?.includes('solar'))
    expect(new Set(found)).toEqual(new Set(withWord))
    expect(found).toHaveLength(withWord.length)
  }

  #count({ found, of }: { found: number; of: number }): void {
    if (this.#isExact) expect(found).toBe(of)
    this.#found += found
    this.#of += of
  }
}

it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('answers as a Map does: sequence %i', async (seed) => {
  await new Sequence(seed).run(OPERATIONS)
})
