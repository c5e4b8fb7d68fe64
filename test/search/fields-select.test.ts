import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Field } from '../../src/fields/field.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import { nodesOfBits } from '../../src/search/filter/node-bits.js'
import {
  ALL_TYPES,
  plainlyKept,
  someFilter,
  someRecords,
  withFields,
  writeFieldFiles,
} from '../fixtures/field-files.js'
import { randomNumbers } from '../fixtures/tasks.js'

/** One field of each type. */
const FIELDS: readonly Field[] = ALL_TYPES.map((type) => ({ name: `the ${type}`, type }))

/** No column fits, some do, all do. */
const MEMORIES = [0, 3000, 2 ** 24]

describe('OpenFields', () => {
  it('selects what plain evaluation keeps, whatever the memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        someRecords(FIELDS),
        fc.array(someFilter(FIELDS), { minLength: 1, maxLength: 12 }),
        async (records, filters) => {
          const made = await writeFieldFiles(FIELDS, records, { perSegment: 40 })
          for (const memory of MEMORIES) {
            withFields(made, memory, (open) => {
              for (const given of filters) {
                const filter = parseFilter(FIELDS, given)
                const expected = plainlyKept(FIELDS, made.rows, filter)
                const { bits, size } = open.select(filter)
                expect([...nodesOfBits(bits)]).toEqual(expected)
                expect(size).toBe(expected.length)
              }
            })
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('passes over zones without a match, and over none with one', async () => {
    const random = randomNumbers(7)
    const records = Array.from({ length: 21_001 }, (_, row) => ({
      'the keyword': `k${String(Math.floor(row / 50)).padStart(4, '0')}`,
      'the number': row + random(),
      'the date': 1000 * row,
      'the boolean': row % 3 === 0,
      'the geo': { lat: row / 500, lon: -row / 300 },
      'the keyword[]': [`t${row % 7}`, `u${Math.floor(row / 100)}`],
      'the number[]': Array.from({ length: row % 4 }, () => Math.floor(random() * 300)),
    }))
    const made = await writeFieldFiles(FIELDS, records, { perSegment: 8000 })
    const filters = [
      { 'the keyword': 'k0200' },
      { 'the keyword': { $in: ['k0001', 'k0400', 'k0419', 'k0420', 'k0002', 'k0050', 'k0052'] } },
      { 'the keyword': { $gte: 'k0410' } },
      { 'the number': { $gt: 20_999 } },
      { 'the number': { $not: { $gt: 4096 } } },
      { 'the date': { $in: [0, 5_000_000, 5_000_500, 6_000_000, 7_000_000, 20_999_000] } },
      { 'the boolean': true, 'the number': { $lt: 70 } },
      { 'the geo': { $near: { lat: 10, lon: -16.6, km: 200 } } },
      { 'the keyword[]': 'u150' },
      { 'the keyword[]': { $in: ['t1', 't3', 't5', 'u3', 'u9', 'u11', 'u13'] } },
      { 'the number[]': { $gte: 100, $lt: 101 } },
      { 'the number[]': { $nin: [1, 2, 3, 4, 5, 6, 7] } },
    ]
    for (const memory of MEMORIES) {
      withFields(made, memory, (open) => {
        for (const given of filters) {
          const filter = parseFilter(FIELDS, given)
          const expected = plainlyKept(FIELDS, made.rows, filter)
          expect(expected.length, JSON.stringify(given)).toBeGreaterThan(0)
          expect([...nodesOfBits(open.select(filter).bits)], JSON.stringify(given)).toEqual(expected)
        }
      })
    }
  })

  it('keeps filters filled, and gives the same set for the same filter', async () => {
    const made = await writeFieldFiles(FIELDS, [{ 'the number': 1 }, { 'the number': 2 }])
    withFields(made, 2 ** 20, (open) => {
      const first = open.select(parseFilter(FIELDS, { 'the number': { $gte: 2 } }))
      for (let i = 0; i < 63; i++) open.select(parseFilter(FIELDS, { 'the number': { $gte: i + 3 } }))
      expect(open.select(parseFilter(FIELDS, { 'the number': { $gte: 2 } }))).toBe(first)
    })
  })

  it('gives back the row of a node', async () => {
    const made = await writeFieldFiles(
      FIELDS,
      Array.from({ length: 90 }, (_, row) => ({ 'the number': row })),
      { perSegment: 40 },
    )
    withFields(made, 0, (open) => {
      for (const node of [0, 39, 40, 89]) {
        expect(Array.from(open.row(node))).toEqual(Array.from(made.rows.row(node)))
        expect(open.rowReader(node).number(FIELDS.findIndex(({ type }) => type === 'number'))).toBe(node)
      }
    })
  })
})

describe('facets', () => {
  const records = [
    { 'the keyword': 'b', 'the keyword[]': ['x', 'x', 'y'], 'the number': 2, 'the boolean': true },
    { 'the keyword': 'a', 'the keyword[]': ['y'], 'the number': 2, 'the number[]': [1, 1, 0.5] },
    { 'the keyword': 'a', 'the date': 0, 'the boolean': true },
    {},
    { 'the keyword': 'c', 'the keyword[]': ['z'], 'the number[]': [1], 'the boolean': false },
  ]
  const at = (name: string): number => FIELDS.findIndex((field) => field.name === name)

  it.each(MEMORIES)('count the rows with each value, most first (memory: %i)', async (memory) => {
    const made = await writeFieldFiles(FIELDS, records)
    withFields(made, memory, (open) => {
      const pairs = (name: string, bits?: Uint32Array, limit?: number): unknown[] =>
        open.facets(at(name), bits, limit).map(({ value, count }) => [value, count])
      expect(pairs('the keyword')).toEqual([
        ['a', 2],
        ['b', 1],
        ['c', 1],
      ])
      expect(pairs('the keyword', undefined, 1)).toEqual([['a', 2]])
      expect(pairs('the keyword[]')).toEqual([
        ['y', 2],
        ['x', 1],
        ['z', 1],
      ])
      expect(pairs('the number')).toEqual([[2, 2]])
      expect(pairs('the number[]')).toEqual([
        [1, 2],
        [0.5, 1],
      ])
      expect(pairs('the date')).toEqual([[0, 1]])
      expect(pairs('the boolean')).toEqual([
        [true, 2],
        [false, 1],
      ])
      const { bits } = open.select(parseFilter(FIELDS, { 'the keyword': 'a' }))
      expect(pairs('the keyword[]', bits)).toEqual([['y', 1]])
      expect(pairs('the boolean', bits)).toEqual([[true, 1]])
      expect(() => open.facets(at('the geo'))).toThrow(/"the geo" of type geo are not counted/)
    })
  })
})
