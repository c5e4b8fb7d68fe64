import { describe, expectTypeOf, it } from 'vitest'
import type { createIndex, FieldsOf, Filter, GivenFields, Id, LiveIndex } from '../../src/index.js'

type Schema = {
  readonly category: 'keyword'
  readonly tags: 'keyword[]'
  readonly price: 'number'
  readonly sizes: 'number[]'
  readonly published: 'date'
  readonly inStock: 'boolean'
  readonly place: 'geo'
  readonly title: 'text'
  readonly extra: 'stored'
}

type Given = Filter<Schema>

describe('a filter of a schema', () => {
  it('takes values and operators by the types of the fields', () => {
    const filter = {
      category: 'news',
      tags: { $in: ['a', 'b'] },
      price: { $gte: 10, $lt: 20n },
      sizes: 5,
      published: { $gt: new Date(0), $lt: '2024-01-01' },
      inStock: { $ne: true },
      place: { $near: { lat: 1, lon: 2, km: 3 } },
      title: { $exists: true },
      $or: [{ category: { $not: { $in: new Set(['x']) } } }, { $not: { extra: { $exists: false } } }],
    } as const
    expectTypeOf(filter).toExtend<Given>()
    expectTypeOf<Given>().toExtend<Filter>()
  })

  it('refuses unknown fields and operators, and operands of another kind', () => {
    const wrong: Given[] = [
      // @ts-expect-error: no such field
      { categroy: 'news' },
      // @ts-expect-error: no such operator
      { price: { $gtt: 1 } },
      // @ts-expect-error: another kind
      { price: '10' },
      // @ts-expect-error: a list needs $in
      { tags: ['a'] },
      // @ts-expect-error: booleans have no order
      { inStock: { $gt: false } },
      // @ts-expect-error: a place is near another one
      { place: { $eq: { lat: 1, lon: 2 } } },
      // @ts-expect-error: without km
      { place: { $near: { lat: 1, lon: 2 } } },
      // @ts-expect-error: words are found by searches
      { title: 'solar' },
      // @ts-expect-error: stored values are only given back
      { extra: { $in: ['a'] } },
      // @ts-expect-error: missing values have an operator
      { category: null },
      // @ts-expect-error: inside of groups too
      { $or: [{ price: { $near: 1 } }] },
    ]
    expectTypeOf(wrong).toEqualTypeOf<Given[]>()
  })

  it('without a schema takes any name, and still no unknown operator', () => {
    expectTypeOf({ color: 'red', size: { $gt: 4 }, $or: [{ a: 1 }, { $not: { b: true } }] }).toExtend<Filter>()
  })
})

describe('the fields of a schema', () => {
  it('come back as values of their types', () => {
    expectTypeOf<FieldsOf<Schema>['published']>().toEqualTypeOf<Date | undefined>()
    expectTypeOf<FieldsOf<Schema>['tags']>().toEqualTypeOf<readonly string[] | undefined>()
    expectTypeOf<FieldsOf<Schema>['inStock']>().toEqualTypeOf<boolean | undefined>()
  })

  it('are given as values that can become them', () => {
    interface Extra {
      readonly note?: string
    }
    const extra: Extra = { note: 'x' }
    expectTypeOf({
      category: null,
      price: 5n,
      sizes: new Float32Array(3),
      published: Date.now(),
      place: { lat: 1, lon: 2 },
      extra,
    }).toExtend<GivenFields<Schema>>()
    // @ts-expect-error: another kind
    const wrong: GivenFields<Schema> = { category: 5 }
    expectTypeOf(wrong).toExtend<GivenFields>()
  })
})

describe('an index that createIndex makes', () => {
  it('knows its schema', () => {
    const typed = (create: typeof createIndex) =>
      create('a.index', { dimensions: 2, metric: 'l2', fields: { price: 'number', title: 'text' } })
    type Schema = { readonly price: 'number'; readonly title: 'text' }
    expectTypeOf(typed).returns.resolves.toEqualTypeOf<LiveIndex<Id, Schema>>()
    const untyped = (create: typeof createIndex) => create('a.index', { dimensions: 2, metric: 'l2' })
    expectTypeOf(untyped).returns.resolves.toEqualTypeOf<LiveIndex>()
  })
})
