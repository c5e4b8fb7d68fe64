/** Searches of an index with fields, against records that are filtered and sorted one by one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openIndex, type Filter, type Id, type Index, type LiveIndex, type VectorRecord } from '../../dist/src/index.js'
import {
  FIELD_SCHEMA,
  MODEL_FILTERS,
  facetsOf,
  given,
  randomFields,
  type ModelFields,
} from '../fixtures/field-model.js'
import { build, distanceOf, randomNumbers, randomRows, rowOf, type Built } from '../fixtures/builds.js'

const COUNT = 1500
const DIMENSIONS = 6
const K = 10
/** Wide enough to be exact on these graphs: the tests are about fields. */
const EF = 400

type Fielded = Index<Id, typeof FIELD_SCHEMA>

const rows = randomRows(COUNT, DIMENSIONS, 5)
const random = randomNumbers(9)
const fields = Array.from({ length: COUNT }, () => randomFields(random))
const idOf = (row: number): Id => (row % 2 === 0 ? row : `id-${row}`)
const rowOfId = (id: Id): number => (typeof id === 'number' ? id : Number(id.slice(3)))
const query = (seed: number): Float32Array => randomRows(1, DIMENSIONS, 1000 + seed).values

type Fields = Pick<VectorRecord, 'id' | 'vector' | 'fields'>

function* recordsOf(from = 0, to = COUNT): Generator<Fields> {
  for (let row = from; row < to; row++) yield { id: idOf(row), vector: rowOf(rows, row), fields: given(fields[row]) }
}

/** Rows that are kept, nearest first. */
function nearest(asked: Float32Array, keeps: (fields: ModelFields) => boolean): number[] {
  const kept = Array.from({ length: COUNT }, (_, row) => row).filter((row) => keeps(fields[row]))
  const distance = (row: number): number => distanceOf('l2', asked, rowOf(rows, row))
  return kept.sort((a, b) => distance(a) - distance(b))
}

const picked = (row: number, ...names: (keyof ModelFields)[]): Partial<ModelFields> =>
  Object.fromEntries(Object.entries(fields[row]).filter(([name]) => names.includes(name as keyof ModelFields)))

const isWord = (row: number, ...words: readonly string[]): boolean =>
  words.some((word) => fields[row].title?.split(' ').includes(word))

/** The same index: built at once; with a base and changes in parts and in memory; on threads. */
const WAYS = ['built', 'changed since', 'on threads'] as const
const open = new Map<string, Fielded>()

beforeAll(async () => {
  const whole: Built = await build(recordsOf(), { memory: '1GB', threads: 1, fields: FIELD_SCHEMA })
  open.set('built', await openIndex<typeof FIELD_SCHEMA>(whole.path))
  open.set('on threads', await openIndex<typeof FIELD_SCHEMA>(whole.path, { threads: 2 }))
  open.set('changed since', await changed())
})
afterAll(async () => {
  for (const index of open.values()) await index.close()
})

/**
 * The first rows are built, a third of them with older fields, which changes replace: some twice, so that the base, a
 * sealed part and the part in memory have dead rows, with other fields than the rows that are alive.
 */
async function changed(): Promise<LiveIndex<Id, typeof FIELD_SCHEMA>> {
  const isReplaced = (row: number): boolean => row % 3 === 0
  const older = randomNumbers(77)
  const olderOf = (record: Fields): Fields => ({ ...record, fields: given(randomFields(older)) })
  const before = Array.from(recordsOf(0, 800), (record, row) => (isReplaced(row) ? olderOf(record) : record))
  const { path } = await build(before, { memory: '1GB', threads: 1, fields: FIELD_SCHEMA })
  const index = await openIndex<typeof FIELD_SCHEMA>(path, { write: true })
  const replacing = Array.from(recordsOf(0, 800)).filter((_, row) => isReplaced(row))
  await index.upsert([...replacing.slice(0, 200).map(olderOf), ...recordsOf(800, 1000)])
  await index.flush()
  await index.upsert([...replacing, ...recordsOf(1000, 1200)])
  await index.upsert([{ id: 'gone', vector: query(1), fields: { title: 'solar wind', category: 'news' } }])
  await index.delete(['gone'])
  await index.flush()
  await index.upsert(Array.from(recordsOf(1200), olderOf))
  await index.upsert(recordsOf(1200))
  return index
}

describe.each(WAYS)('an index with fields, %s,', (way) => {
  const index = (): Fielded => open.get(way) as Fielded

  it('says its fields', () => {
    expect(index().fields).toEqual(FIELD_SCHEMA)
    expect(Object.keys(index().fields ?? {})).toEqual(Object.keys(FIELD_SCHEMA))
  })

  it.each(MODEL_FILTERS)('finds the nearest that $filter keeps', async ({ filter, keeps }) => {
    const options = { k: K, ef: EF, filter: filter as Filter<typeof FIELD_SCHEMA> }
    const queries = [1, 2, 3].map(query)
    const expected = queries.map((asked) => nearest(asked, keeps).slice(0, K).map(idOf))
    const hits = queries.map((asked) => index().search(asked, options))
    expect(hits.map((list) => list.map(({ id }) => id))).toEqual(expected)
    expect(await index().searchBatch(queries, options)).toEqual(hits)
  })

  it('gives the fields of hits that are selected, and no others', async () => {
    const options = { k: K, ef: EF, select: ['category', 'extra'] } as const
    const hits = index().search(query(4), options)
    expect(hits.map(({ fields: got }) => got)).toEqual(hits.map(({ id }) => picked(rowOfId(id), 'category', 'extra')))
    expect(await index().searchBatch([query(4)], options)).toEqual([hits])
    expect(index().search(query(4))[0]).not.toHaveProperty('fields')
  })

  it('gives the fields of an id with its vector', () => {
    for (let row = 0; row < COUNT; row += 7) expect(index().get(idOf(row))?.fields).toEqual(fields[row])
  })

  it('finds ids whose texts have the words, whatever filter is given', () => {
    const hits = index().searchText('solar wind ', { k: COUNT, select: ['title'] })
    const expected = fields.flatMap((_, row) => (isWord(row, 'solar', 'wind') ? [idOf(row)] : []))
    expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(expected))
    expect(hits).toHaveLength(expected.length)
    expect(hits.map(({ fields: got }) => got?.title)).toEqual(hits.map(({ id }) => fields[rowOfId(id)].title))
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a))
    const filtered = index().searchText('solar wind ', { k: COUNT, filter: { category: 'news' } })
    expect(filtered.map(({ id, score }) => ({ id, score }))).toEqual(
      hits.filter(({ id }) => fields[rowOfId(id)].category === 'news').map(({ id, score }) => ({ id, score })),
    )
  })

  it('unites hits of words and of the vector by their ranks', async () => {
    const options = { k: K, ef: 50, text: 'sea grid ', filter: { inStock: true }, select: ['title'] } as const
    const hits = index().search(query(5), options)
    const { filter } = options
    const near = index()
      .search(query(5), { k: 50, ef: 50, filter })
      .map(({ id }) => id)
    const fit = index()
      .searchText('sea grid ', { k: 50, filter })
      .map(({ id }) => id)
    const part = (list: readonly Id[], id: Id): number => (list.includes(id) ? 1 / (61 + list.indexOf(id)) : 0)
    const score = (id: Id): number => part(near, id) + part(fit, id)
    const best = Array.from(new Set([...near, ...fit]), score).sort((a, b) => b - a)
    expect(hits.map((hit) => hit.score)).toEqual(best.slice(0, K))
    for (const hit of hits) {
      const row = rowOfId(hit.id)
      expect(hit.score).toBe(score(hit.id))
      expect(hit.distance).toBeCloseTo(distanceOf('l2', query(5), rowOf(rows, row)), 4)
      expect(hit.fields).toEqual(picked(row, 'title'))
      expect(fields[row].inStock).toBe(true)
    }
    expect(await index().searchBatch([query(5)], options)).toEqual([hits])
    const unfiltered = { k: K, text: 'sea grid ' } as const
    expect(await index().searchBatch([query(5)], unfiltered)).toEqual([index().search(query(5), unfiltered)])
  })

  it.each(['category', 'tags', 'inStock', 'price'] as const)('counts the values of %s', (field) => {
    const counts = index().facets({ field })
    expect(new Map(counts.map(({ value, count }) => [value, count]))).toEqual(facetsOf(fields, field))
    expect(counts.map(({ count }) => count)).toEqual(counts.map(({ count }) => count).sort((a, b) => b - a))
    expect(index().facets({ field, limit: 2 })).toEqual(counts.slice(0, 2))
    const some = index().facets({ field, filter: { price: { $gt: 0 } } })
    const kept = fields.filter(({ price = 0 }) => price > 0)
    expect(new Map(some.map(({ value, count }) => [value, count]))).toEqual(facetsOf(kept, field))
  })

  it('counts dates as dates', () => {
    const [first] = index().facets({ field: 'published' })
    expect(first.value).toBeInstanceOf(Date)
    expect(first.count).toBe(fields.filter(({ published }) => Number(published) === Number(first.value)).length)
  })

  it('filters and selects in searches with several vectors', () => {
    const vectors = [query(6), query(7)]
    const hits = index().search(vectors, { score: 'maxSim', k: 5, ef: EF, filter: { tags: 'a' }, select: ['tags'] })
    const sum = (row: number): number => vectors.reduce((all, one) => all + distanceOf('l2', one, rowOf(rows, row)), 0)
    const kept = nearest(query(6), ({ tags = [] }) => tags.includes('a')).sort((a, b) => sum(a) - sum(b))
    expect(hits.map(({ id }) => id)).toEqual(kept.slice(0, 5).map(idOf))
    expect(hits.map(({ fields: got }) => got)).toEqual(hits.map(({ id }) => picked(rowOfId(id), 'tags')))
  })

  it.each<[string, unknown, string]>([
    ['an unknown field', { filter: { categry: 'a' } }, 'did you mean "category"?'],
    ['an unknown operator', { filter: { price: { $gtt: 1 } } }, '$gt'],
    ['a value of a wrong type', { filter: { price: 'a' } }, 'price'],
    ['a list without $in', { filter: { category: ['a'] } }, '$in'],
    ['an unknown field to select', { select: ['titel'] }, 'did you mean "title"?'],
    ['a name in place of names', { select: 'title' }, 'select must be an array of names of fields'],
    ['words in another field', { text: 'a', textFields: ['category'] }, 'category is of type keyword'],
    ['no field for words', { text: 'a', textFields: [] }, 'at least one field'],
    ['a number as words', { text: 5 }, 'text must be a string'],
  ])('refuses %s', (_, options, message) => {
    expect(() => index().search(query(1), options as object)).toThrow(message)
  })

  it.each<[string, unknown, string]>([
    ['no field', {}, 'field must be the name of a field'],
    ['a field of text', { field: 'title' }, 'of type text'],
    ['a limit of none', { field: 'tags', limit: 0 }, 'limit must be an integer'],
    ['another option', { field: 'tags', top: 5 }, 'unknown option "top"'],
  ])('refuses to count with %s', (_, options, message) => {
    expect(() => index().facets(options as { field: 'tags' })).toThrow(message)
  })
})

describe('vectors that share an id', () => {
  it('are filtered by their own fields, and found once', async () => {
    const schema = { lang: 'keyword', body: 'text' } as const
    const records = [
      { id: 'a', vector: [0, 0], fields: { lang: 'en', body: 'one two' } },
      { id: 'a', vector: [5, 0], fields: { lang: 'de', body: 'two two' } },
      { id: 'b', vector: [1, 0], fields: { lang: 'en', body: 'three' } },
    ]
    const { path } = await build(records, { memory: '1GB', threads: 1, duplicates: 'keep', fields: schema })
    const index = await openIndex<typeof schema>(path)
    const found = index.search([0, 0], { filter: { lang: 'de' }, select: ['lang'] })
    expect(found).toEqual([{ id: 'a', distance: 25, fields: { lang: 'de' } }])
    expect(index.searchText('two', { select: ['lang'] })).toMatchObject([{ id: 'a', fields: { lang: 'de' } }])
    expect(index.search([0, 0], { text: 'three', k: 2 }).map(({ id }) => id)).toEqual(['b', 'a'])
    expect(
      index
        .getAll('a')
        .map(({ fields: got }) => got?.lang)
        .sort(),
    ).toEqual(['de', 'en'])
    expect(index.facets({ field: 'lang' })).toEqual([
      { value: 'en', count: 2 },
      { value: 'de', count: 1 },
    ])
    await index.close()
  })
})
