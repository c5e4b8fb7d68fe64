/** Changes of an index with fields: what `readIndex` gives of them, wherever they lie. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  buildIndex,
  CorruptIndexError,
  createIndex,
  InvalidFieldError,
  InvalidOptionError,
  openIndex,
  readIndex,
  verifyIndex,
  type GivenBatch,
  type Id,
  type Index,
} from '../../dist/src/index.js'
import type { GivenFields } from '../../src/api/fields.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { FieldRows } from '../../src/fields/field-rows.js'
import { assertFields } from '../../src/fields/schema.js'
import type { Change } from '../../src/format/live/log-change.js'
import { encodeFrame } from '../../src/format/live/log-frame.js'
import { readParts, writeParts } from '../../src/format/live/parts-file.js'
import { readLog } from '../../src/format/live/read-log.js'
import { makeFolder, randomNumbers } from '../fixtures/builds.js'
import {
  columnsOf,
  facetsOf,
  FIELD_SCHEMA,
  MODEL_FILTERS,
  randomFields,
  type ModelFields,
} from '../fixtures/field-model.js'
import { openLive, settings, SMALL_LIMITS, withoutThreads } from '../fixtures/small-live-index.js'
import { runs } from '../whole.js'

const DIMENSIONS = 6
const folder = makeFolder()

/** By id: the fields of each of its rows, those that have a value. */
async function contentsOf(path: string): Promise<Map<Id, ModelFields[]>> {
  const contents = new Map<Id, ModelFields[]>()
  for await (const batch of (await readIndex(path))(0)) {
    const { ids = [], fields } = batch as GivenBatch
    for (const [at, id] of Array.from(ids).entries()) {
      const values = Object.entries(fields ?? {}).map(([name, column]) => [name, column[at]] as const)
      const row = Object.fromEntries(values.filter(([, value]) => value !== undefined)) as ModelFields
      contents.set(id as Id, [...(contents.get(id as Id) ?? []), row])
    }
  }
  return contents
}

const inOrder = (rows: readonly ModelFields[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

async function expectContents(path: string, model: ReadonlyMap<Id, readonly ModelFields[]>): Promise<void> {
  const contents = await contentsOf(path)
  expect(new Set(contents.keys())).toEqual(new Set(model.keys()))
  for (const [id, rows] of model) expect(inOrder(contents.get(id) ?? [])).toEqual(inOrder(rows))
}

/** Of ids that may repeat too: an id is found when one of its rows is kept. */
function expectAnswers(index: Index, model: ReadonlyMap<Id, readonly ModelFields[]>): void {
  for (const [id, rows] of model) {
    expect(inOrder(index.getAll(id).map(({ fields }) => fields as ModelFields))).toEqual(inOrder(rows))
  }
  for (const { filter, keeps } of MODEL_FILTERS) {
    const ids = new Set([...model].filter(([, rows]) => rows.some(keeps)).map(([id]) => id))
    const hits = index.search(new Float32Array(DIMENSIONS), { k: 300, ef: 300, filter, select: ['category', 'tags'] })
    expect(new Set(hits.map(({ id }) => id)), JSON.stringify(filter)).toEqual(ids)
    expect(hits).toHaveLength(ids.size)
    const kept = [...model.values()].flat().filter(keeps)
    const counted = index.facets({ field: 'tags', filter }).map(({ value, count }) => [value, count] as const)
    expect(new Map<unknown, number>(counted)).toEqual(facetsOf(kept, 'tags'))
    const withWord = [...model].filter(([, rows]) => rows.some((row) => keeps(row) && row.title?.includes('solar')))
    const found = index.searchText('solar', { k: 300, filter }).map(({ id }) => id)
    expect(new Set(found)).toEqual(new Set(withWord.map(([id]) => id)))
    expect(found).toHaveLength(withWord.length)
  }
}

describe('an index with fields', () => {
  it.each([
    ['in flat parts', 1, 1e6, false],
    ['in parts with graphs', 2, 20, false],
    ['of ids that repeat', 3, 20, true],
  ] as const)(
    'keeps them %s, through seals, merges, compactions and reopenings',
    async (_, seed, graphRows, repeats) => {
      const path = join(folder, `${seed}.index`)
      const random = randomNumbers(seed)
      const withThreads = withoutThreads()
      const limits = { ...SMALL_LIMITS, graphRows }
      const create = settings({ fields: assertFields(FIELD_SCHEMA), ...(repeats && { repeatedIds: true }) })
      let index = await openLive(path, { limits }, create)
      const model = new Map<Id, ModelFields[]>()
      try {
        for (const step of [
          '',
          'flush',
          '',
          'flush',
          'reopen',
          'flush',
          'compact',
          '',
          'flush',
          '',
          'reopen',
          'compact',
        ]) {
          for (let change = 0; change < 4; change++) {
            const different = [...new Set(Array.from({ length: 12 }, () => Math.floor(60 * random())))]
            const ids = repeats ? different.flatMap((id) => Array.from({ length: 1 + (id % 2) }, () => id)) : different
            const rows = ids.map(() => randomFields(random))
            const vectors = Float32Array.from({ length: ids.length * DIMENSIONS }, random)
            await index.upsert({ ids, vectors, dimensions: DIMENSIONS, fields: columnsOf(rows) })
            for (const id of ids) model.set(id, [])
            for (const [at, id] of ids.entries()) model.get(id)?.push(rows[at])
            const deleted = [Math.floor(60 * random()), 'nobody']
            await index.delete(deleted)
            for (const id of deleted) model.delete(id)
          }
          if (step === 'flush') await index.flush()
          if (step === 'compact')
            expect((await index.compact({ threads: 1 }))?.count).toBe([...model.values()].flat().length)
          if (step === 'reopen') {
            await index.close()
            index = await openLive(path, { limits })
          }
          await expectContents(path, model)
          expectAnswers(index, model)
        }
        expect(await verifyIndex(path)).toMatchObject({ ok: true, problems: [] })
      } finally {
        await index.close()
        withThreads()
      }
    },
  )

  it('takes records and batches; what is not given is missing, also where the row before had it', async () => {
    const path = join(folder, 'forms.index')
    const index = await createIndex(path, { dimensions: 2, fields: { name: 'keyword', size: 'number' } })
    const vectors = Float32Array.of(1, 2, 3, 4)
    await index.upsert({ id: 1, vector: [1, 2], fields: { name: 'a', size: 1 } })
    await index.upsert([
      { id: 2, vector: [1, 2], fields: { size: null } },
      { id: 3, vector: [5, 5] },
    ])
    await index.upsert({ ids: [4, 5], vectors, dimensions: 2, fields: { name: ['x', undefined] } })
    await index.upsert({ id: 1, vector: [1, 2], fields: { size: 2 } })
    await index.close()
    expect(await contentsOf(path)).toEqual(new Map([[1, [{ size: 2 }]], [2, [{}]], [3, [{}]], [4, [{ name: 'x' }]], [5, [{}]]])) // prettier-ignore
  })

  it('refuses what is no such field, whole, and names the record', async () => {
    const index = await createIndex(join(folder, 'refused.index'), { dimensions: 1, fields: { size: 'number' } })
    const records = [
      { id: 'a', vector: [1], fields: { size: 1 } },
      { id: 'b', vector: [1], fields: { size: '2' } },
    ]
    await expect(index.upsert(records as never)).rejects.toThrow(InvalidFieldError)
    await expect(index.upsert(records as never)).rejects.toThrow(/"b".*size/)
    await expect(index.upsert({ id: 'a', vector: [1], fields: { siz: 1 } })).rejects.toThrow(/did you mean "size"/)
    const batch = { ids: ['a'], vectors: Float32Array.of(1), dimensions: 1, fields: { size: [1, 2] } }
    await expect(index.upsert(batch)).rejects.toThrow(InvalidOptionError)
    expect(index.count).toBe(0)
    await index.close()
  })

  it('cuts records with long fields into changes, and ids that repeat between two', async () => {
    const text = 'long '.repeat(40_000)
    for (const duplicates of ['last', 'keep'] as const) {
      const path = join(folder, `long-${duplicates}.index`)
      const options = { dimensions: 1, durability: 'none', duplicates, fields: { text: 'text' } } as const
      const index = await createIndex(path, options)
      const ids = Array.from({ length: 60 }, (_, i) => (duplicates === 'keep' ? i % 30 : i))
      await index.upsert(ids.map((id) => ({ id, vector: [id], fields: { text } })))
      const records = { ids, vectors: new Float32Array(60), dimensions: 1, fields: { text: ids.map(() => text) } }
      await index.upsert(records)
      expect(index.count).toBe(60)
      await index.flush()
      await index.close()
      expect([...(await contentsOf(path)).values()].flat().every((row) => 'text' in row && row.text === text)).toBe(
        true,
      )
    }
  })
})

describe('an index without fields', () => {
  it('refuses records and batches that have some', async () => {
    const index = await createIndex(join(folder, 'without.index'), { dimensions: 1 })
    await expect(index.upsert({ id: 1, vector: [1], fields: { a: 1 } })).rejects.toThrow(/made without/)
    const batch = { ids: [1], vectors: Float32Array.of(1), dimensions: 1, fields: { a: [1] } }
    await expect(index.upsert(batch)).rejects.toThrow(InvalidOptionError)
    await index.upsert({ id: 1, vector: [1] })
    await index.close()
  })
})

describe('a log with forged field rows', () => {
  it('is refused by readers, writers and verify, or its rows are answers; never anything else', async () => {
    const path = join(folder, 'forged.index')
    const fields = assertFields(FIELD_SCHEMA)
    const index = await createIndex(path, { dimensions: 1, fields: FIELD_SCHEMA })
    await index.upsert({ id: 'sound', vector: [1], fields: { category: 'a' } })
    await index.close()
    const log = join(path, 'live', 'log-000001.log')
    const bytes = readFileSync(log)
    const end = await readLog(log, { dimensions: 1, metric: 'l2' }, () => undefined)
    const random = randomNumbers(9)
    const codec = new FieldCodec(fields)
    let refused = 0
    for (let attempt = 0; attempt < runs(60); attempt++) {
      const rows = codec.encodeRecords([randomFields(random) as GivenFields], 0)
      const changed = rows.bytes.slice()
      if (attempt > 0) changed[Math.floor(random() * changed.length)] = Math.floor(256 * random())
      const forged: Change = {
        kind: 'upsert',
        ids: ['forged'],
        vectors: Float32Array.of(2),
        fields: new FieldRows(changed, rows.offsets),
        firstSequence: end.lastSequence + 1,
      }
      const place = { dimensions: 1, fileCrc: end.fileCrc, chain: end.chain, synced: 0 }
      writeFileSync(log, Buffer.concat([bytes, encodeFrame(forged, place).bytes]))
      const opened = await openIndex(path).catch((error: unknown) => error)
      const { ok, problems } = await verifyIndex(path)
      if (opened instanceof CorruptIndexError) {
        refused++
        expect(opened.message).toContain('log-000001.log')
        await expect(openIndex(path, { write: true })).rejects.toThrow(CorruptIndexError)
        expect(problems[0]?.path).toBe(log)
      } else {
        const reader = opened as Index
        expect(reader.get('forged')?.fields).toBeDefined()
        for (const { filter } of MODEL_FILTERS) reader.search([1], { filter })
        reader.searchText('solar')
        await reader.close()
      }
      expect(ok).toBe(!(opened instanceof CorruptIndexError))
    }
    expect(refused).toBeGreaterThan(runs(60) / 10)
  })

  it('is refused where an upsert has no fields', async () => {
    const path = join(folder, 'none.index')
    const index = await openLive(path, {}, settings())
    await index.upsert({ id: 1, vector: new Float32Array(DIMENSIONS) })
    await index.close()
    const parts = await readParts(path)
    if (parts === undefined) throw new Error('it has PARTS')
    await writeParts(path, { ...parts, settings: { ...parts.settings, fields: assertFields(FIELD_SCHEMA) } })
    await expect(openIndex(path)).rejects.toThrow(/there are no fields, and PARTS lists some/)
    expect(await verifyIndex(path)).toMatchObject({ ok: false })
  })
})

describe('a build with other fields', () => {
  const records = Array.from({ length: 20 }, (_, id) => ({ id, vector: [id], fields: { size: id } }))
  const nightly = (path: string): Promise<unknown> =>
    buildIndex(records, { path, fields: { size: 'number' }, threads: 1 })

  it('is refused while a writer has the index open, and replaces all changes afterwards', async () => {
    const path = join(folder, 'other.index')
    const index = await createIndex(path, { dimensions: 1, fields: { name: 'keyword' } })
    await index.upsert([{ id: 'gone', vector: [1], fields: { name: 'a' } }])
    await index.flush()
    await index.upsert([{ id: 'gone too', vector: [1], fields: { name: 'a' } }])
    await expect(nightly(path)).rejects.toThrow(/name: keyword.*its writer goes on/)
    await index.close()
    await nightly(path)
    const expected = new Map<Id, ModelFields[]>(records.map(({ id, fields }) => [id, [fields as ModelFields]]))
    await expectContents(path, expected)
    expect(await verifyIndex(path)).toMatchObject({ ok: true })
    const reader = await openIndex(path)
    const again = await openIndex(path, { write: true })
    await again.upsert({ id: 5, vector: [1], fields: { size: 50 } })
    expected.set(5, [{ size: 50 } as ModelFields])
    await again.flush()
    await again.upsert({ id: 6, vector: [1], fields: { size: 60 } })
    expected.set(6, [{ size: 60 } as ModelFields])
    await expectContents(path, expected)
    expect(await reader.refresh()).toBe(true)
    expect(reader.count).toBe(20)
    await again.close()
    await reader.close()
    expect(await verifyIndex(path)).toMatchObject({ ok: true })
  })

  it('is refused when its source lacks changes', async () => {
    const path = join(folder, 'lacks.index')
    const index = await createIndex(path, { dimensions: 1, fields: { name: 'keyword' } })
    const { sequence } = await index.upsert({ id: 'a', vector: [1] })
    await index.upsert({ id: 'b', vector: [1] })
    await index.close()
    const options = { path, fields: { size: 'number' }, threads: 1 } as const
    await expect(buildIndex(records, { ...options, liveSequence: sequence })).rejects.toThrow(/go up to 2, .* up to 1/)
    await buildIndex(records, { ...options, liveSequence: sequence + 1 })
    expect((await contentsOf(path)).size).toBe(20)
  })

  it('keeps writers out until it is published', async () => {
    const path = join(folder, 'locked.index')
    await buildIndex(
      records.map(({ id, vector }) => ({ id, vector })),
      { path, threads: 1 },
    )
    async function* slowly(): AsyncGenerator<(typeof records)[number]> {
      await expect(openIndex(path, { write: true })).rejects.toThrow(/is being written to/)
      yield* records
    }
    await buildIndex(slowly(), { path, fields: { size: 'number' }, threads: 1 })
    const index = await openIndex(path, { write: true })
    await index.upsert({ id: 1, vector: [1], fields: { size: 10 } })
    await index.close()
    expect((await contentsOf(path)).get(1)).toEqual([{ size: 10 }])
  })
})
