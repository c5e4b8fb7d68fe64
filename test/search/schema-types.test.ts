/** What the compiler knows of an index whose schema it knows. */
import { describe, expectTypeOf, it } from 'vitest'
import type { FieldsOf, JsonValue } from '../../src/api/fields.js'
import type { FacetCount, SearchHit, SearchOptions, TextSearchOptions } from '../../src/api/search.js'
import type { Id } from '../../src/api/vectors.js'
import { openIndex } from '../../src/live/open-index.js'
import type { LiveIndex } from '../../src/live/live-index.js'
import type { VectorIndex } from '../../src/search/vector-index.js'

/** As `typeof schema` of a program. */
type Schema = Readonly<{
  category: 'keyword'
  tags: 'keyword[]'
  price: 'number'
  at: 'date'
  title: 'text'
  url: 'stored'
}>
type Typed = VectorIndex<Id, Schema>

describe('an index of a schema', () => {
  it('is what openIndex gives, whatever ids are', () => {
    const read = () => openIndex<Schema>('an.index')
    expectTypeOf(read).returns.resolves.toEqualTypeOf<Typed>()
    const bigint = () => openIndex<Schema>('an.index', { integerIds: 'bigint' })
    expectTypeOf(bigint).returns.resolves.toEqualTypeOf<VectorIndex<string | bigint, Schema>>()
    const write = () => openIndex<Schema>('an.index', { write: true })
    expectTypeOf(write).returns.resolves.toEqualTypeOf<LiveIndex<Id, Schema>>()
    expectTypeOf(() => openIndex('an.index')).returns.resolves.toEqualTypeOf<VectorIndex>()
  })

  it('knows the names and operands of filters', () => {
    type Options = SearchOptions<Id, Schema>
    expectTypeOf<{ filter: { category: 'news'; price: { $gte: 1 } }; select: ['title', 'url'] }>().toExtend<Options>()
    expectTypeOf<{ filter: Set<number> }>().toExtend<Options>()
    expectTypeOf<{ filter: (id: Id) => boolean }>().toExtend<Options>()
    expectTypeOf<{ filter: { price: 'a' } }>().not.toExtend<Options>()
    expectTypeOf<{ select: ['titel'] }>().not.toExtend<Options>()
    expectTypeOf<{ textFields: ['title'] }>().toExtend<TextSearchOptions<Id, Schema>>()
    expectTypeOf<{ textFields: ['category'] }>().not.toExtend<TextSearchOptions<Id, Schema>>()
  })

  it('knows the fields of hits and records', () => {
    type Hit = ReturnType<Typed['search']>[number]
    expectTypeOf<Hit>().toEqualTypeOf<SearchHit<Id, Schema>>()
    expectTypeOf<NonNullable<Hit['fields']>>().toEqualTypeOf<FieldsOf<Schema>>()
    expectTypeOf<NonNullable<Hit['fields']>['price']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<NonNullable<Hit['fields']>['url']>().toEqualTypeOf<JsonValue | undefined>()
    expectTypeOf<NonNullable<ReturnType<Typed['get']>>['fields']>().toEqualTypeOf<FieldsOf<Schema> | undefined>()
    expectTypeOf<Typed['fields']>().toEqualTypeOf<Schema | undefined>()
  })

  it('knows which fields are counted, and what their values are', () => {
    const dates = (index: Typed) => index.facets({ field: 'at' })
    expectTypeOf(dates).returns.toEqualTypeOf<FacetCount<'date'>[]>()
    expectTypeOf<FacetCount<'date'>['value']>().toEqualTypeOf<Date>()
    expectTypeOf<FacetCount<'keyword[]'>['value']>().toEqualTypeOf<string>()
    expectTypeOf<Parameters<Typed['facets']>[0]['field']>().toEqualTypeOf<'category' | 'tags' | 'price' | 'at'>()
  })
})

describe('an index whose schema is not known', () => {
  it('takes any names', () => {
    type Options = SearchOptions
    expectTypeOf<{ filter: { anything: 5 }; select: ['what', 'ever'] }>().toExtend<Options>()
    expectTypeOf<Parameters<VectorIndex['facets']>[0]['field']>().toEqualTypeOf<string>()
  })
})
