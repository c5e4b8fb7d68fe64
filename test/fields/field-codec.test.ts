import { describe, expect, it } from 'vitest'
import type { GivenFields } from '../../src/api/fields.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { FieldRowReader } from '../../src/fields/field-row-reader.js'
import { matches } from '../../src/fields/filter/matches.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import { assertFields } from '../../src/fields/schema.js'

const FIELDS = assertFields({
  category: 'keyword',
  tags: 'keyword[]',
  price: 'number',
  sizes: 'number[]',
  published: 'date',
  inStock: 'boolean',
  place: 'geo',
  title: 'text',
  extra: 'stored',
})

const RECORD: GivenFields = {
  category: 'news',
  tags: ['a', 'ü', '😀'],
  price: -0,
  sizes: [1, 2.5],
  published: '1969-12-31T23:59:59.999Z',
  inStock: false,
  place: { lat: 52.5, lon: 13.4 },
  title: 'Über allem',
  extra: { deep: [1, null, 'x'] },
}

describe('FieldCodec', () => {
  it('gives back what a record had', () => {
    const codec = new FieldCodec(FIELDS)
    const rows = codec.encodeRecords([RECORD, undefined, { price: 3 }], 0)
    expect(codec.decode(rows.row(0))).toEqual({ ...RECORD, price: 0, published: new Date(-1) })
    expect(codec.decode(rows.row(1))).toEqual({})
    expect(codec.decode(rows.row(2))).toEqual({ price: 3 })
  })

  it('filters', () => {
    const codec = new FieldCodec(FIELDS)
    const rows = codec.encodeRecords([RECORD, undefined, { price: 3 }], 0)
    const reader = new FieldRowReader(FIELDS)
    const found = (filter: unknown): number[] => {
      const node = parseFilter(FIELDS, filter)
      return [0, 1, 2].filter((i) => {
        reader.open(rows.bytes, rows.offsets[i], rows.offsets[i + 1])
        return matches(node, reader)
      })
    }
    expect(found({})).toEqual([0, 1, 2])
    expect(found({ category: 'news' })).toEqual([0])
    expect(found({ category: { $ne: 'news' } })).toEqual([])
    expect(found({ tags: { $in: ['z', '😀'] } })).toEqual([0])
    expect(found({ price: { $gte: 0, $lt: 4 } })).toEqual([0, 2])
    expect(found({ $not: { price: { $gt: 1 } } })).toEqual([0])
    expect(found({ place: { $near: { lat: 52.4, lon: 13.4, km: 12 } } })).toEqual([0])
    expect(found({ title: { $exists: false } })).toEqual([1, 2])
    expect(found({ $or: [{ published: { $lt: new Date(0) } }, { price: 3 }] })).toEqual([0, 2])
  })
})
