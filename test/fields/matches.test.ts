import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GivenFields } from '../../src/api/fields.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { FieldRowReader } from '../../src/fields/field-row-reader.js'
import { filterKey } from '../../src/fields/filter/filter-key.js'
import { matches } from '../../src/fields/filter/matches.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import type { FilterNode } from '../../src/fields/filter-node.js'
import { assertFields } from '../../src/fields/schema.js'
import { anyFilter, filterRecord, FILTER_SCHEMA, keeps } from '../fixtures/field-filters.js'
import { runs } from '../whole.js'

const FIELDS = assertFields(FILTER_SCHEMA)
const codec = new FieldCodec(FIELDS)

/** The positions of the records that a parsed filter keeps. */
function keptBy(node: FilterNode, records: readonly GivenFields[]): number[] {
  const rows = codec.encodeRecords(records, 0)
  const reader = new FieldRowReader(FIELDS)
  return records.flatMap((_, i) => {
    reader.open(rows.bytes, rows.offsets[i], rows.offsets[i + 1])
    return matches(node, reader) ? [i] : []
  })
}

const found = (filter: unknown, records: readonly GivenFields[]): number[] =>
  keptBy(parseFilter(FIELDS, filter), records)

const manyRecords = fc.array(filterRecord, { minLength: 1, maxLength: 12 })

describe('matches', () => {
  it('keeps the records that three-valued logic over their values keeps', () => {
    fc.assert(
      fc.property(manyRecords, anyFilter, (records, filter) => {
        const rows = codec.encodeRecords(records, 0)
        const kept = records.flatMap((_, i) => (keeps(filter, codec.decode(rows.row(i))) ? [i] : []))
        expect(found(filter, records)).toEqual(kept)
      }),
      { numRuns: runs(4000) },
    )
  })

  it('finds missing values by $exists: false only', () => {
    const none: GivenFields[] = [{}]
    expect(found({ price: { $exists: false } }, none)).toEqual([0])
    expect(found({ $not: { price: { $exists: true } } }, none)).toEqual([0])
    for (const condition of [
      { $ne: 1 },
      { $nin: [1] },
      { $nin: [] },
      { $not: { $eq: 1 } },
      { $not: { $in: [] } },
      { $lt: 1 },
    ]) {
      expect(found({ price: condition }, none)).toEqual([])
      expect(found({ $not: { price: condition } }, none)).toEqual([])
    }
  })

  it('wants one item of a list inside both bounds', () => {
    const records: GivenFields[] = [{ sizes: [1, 9] }, { sizes: [1, 5] }]
    expect(found({ sizes: { $gt: 3, $lt: 7 } }, records)).toEqual([1])
    expect(found({ sizes: { $not: { $gt: 3, $lt: 7 } } }, records)).toEqual([0])
    expect(found({ $and: [{ sizes: { $gt: 3 } }, { sizes: { $lt: 7 } }] }, records)).toEqual([0, 1])
  })

  it('finds a keyword among many values, and a number', () => {
    const words = Array.from({ length: 1000 }, (_, i) => `word ${i}`)
    const records = [{ category: 'word 700' }, { category: 'word 7000' }, { price: 12 }]
    expect(found({ category: { $in: words } }, records)).toEqual([0])
    expect(found({ price: { $in: words.map((_, i) => i) } }, records)).toEqual([2])
  })
})

describe('filterKey', () => {
  it('is the same for the same parts in another order', () => {
    const key = (filter: unknown): string => filterKey(parseFilter(FIELDS, filter))
    expect(key({ category: 'a', price: { $in: [1, 2, 2] } })).toBe(
      key({ price: { $in: [2, 1] }, $and: [{ category: 'a' }] }),
    )
    expect(key({ $or: [{ price: 1 }, { price: 1 }, { tags: 'x' }] })).toBe(key({ $or: [{ tags: 'x' }, { price: 1 }] }))
    expect(key({ price: { $gt: 1, $gte: 0 } })).toBe(key({ price: { $gt: 1 } }))
    expect(key({ published: new Date(5) })).toBe(key({ published: 5 }))
  })

  it('is another one for filters that keep other records', () => {
    fc.assert(
      fc.property(manyRecords, anyFilter, anyFilter, (records, one, other) => {
        const [a, b] = [one, other].map((filter) => parseFilter(FIELDS, filter))
        if (keptBy(a, records).join() !== keptBy(b, records).join()) expect(filterKey(a)).not.toBe(filterKey(b))
      }),
      { numRuns: runs(2000) },
    )
    const key = (filter: unknown): string => filterKey(parseFilter(FIELDS, filter))
    const near = { $near: { lat: 1, lon: 2, km: 3 } }
    const keys = [
      { price: { $gt: 1 } },
      { price: { $gte: 1 } },
      { price: { $lt: 1 } },
      { price: { $lte: 1 } },
      { price: 1 },
      { sizes: 1 },
      { category: '1' },
      { category: { $gt: '1' } },
      { category: '1,"2"' },
      { category: { $in: ['1', '2'] } },
      { price: { $exists: true } },
      { price: { $exists: false } },
      { place: near },
      { place: { $not: near } },
      { place: { $near: { lat: 1, lon: 2, km: 4 } } },
      { $or: [] },
      {},
    ].map(key)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
