import { describe, expect, it } from 'vitest'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { FieldRowList } from '../../src/fields/field-row-list.js'
import type { FilterNode } from '../../src/fields/filter-node.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import { assertFields } from '../../src/fields/schema.js'
import { FieldScan } from '../../src/search/live/field-scan.js'
import { randomNumbers } from '../fixtures/builds.js'
import { FIELD_SCHEMA, given, MODEL_FILTERS, randomFields } from '../fixtures/field-model.js'

const fields = assertFields(FIELD_SCHEMA)

function rowsOf(bits: Uint32Array, count: number): number[] {
  return Array.from({ length: count }, (_, row) => row).filter((row) => ((bits[row >>> 5] >>> (row & 31)) & 1) === 1)
}

describe('a filter on rows that grow', () => {
  it('keeps what it keeps of plain objects, however the rows came', () => {
    const random = randomNumbers(4)
    const codec = new FieldCodec(fields)
    const list = new FieldRowList()
    const scan = new FieldScan(fields, list)
    const nodes = MODEL_FILTERS.map(({ filter }) => parseFilter(fields, filter))
    const records: ReturnType<typeof randomFields>[] = []
    for (let step = 0; step < 12; step++) {
      const added = Array.from({ length: 1 + Math.floor(40 * random()) }, () => randomFields(random))
      list.addAll(codec.encodeRecords(added.map(given), records.length))
      records.push(...added)
      for (const [at, { keeps, filter }] of MODEL_FILTERS.entries()) {
        const expected = [...records.keys()].filter((row) => keeps(records[row]))
        expect(rowsOf(scan.select(nodes[at]), records.length), JSON.stringify(filter)).toEqual(expected)
      }
    }
  })

  it('is asked about each row once, also when it is parsed again', () => {
    const list = new FieldRowList()
    list.addAll(new FieldCodec(fields).encodeRecords([{ category: 'a' }, { category: 'b' }], 0))
    const scan = new FieldScan(fields, list)
    const parsed = (): FilterNode => parseFilter(fields, { category: 'a' })
    expect(scan.select(parsed())).toBe(scan.select(parsed()))
  })

  it('is forgotten when 64 others were used since', () => {
    const list = new FieldRowList()
    list.addAll(new FieldCodec(fields).encodeRecords([{ price: 1 }], 0))
    const scan = new FieldScan(fields, list)
    const above = (price: number): FilterNode => parseFilter(fields, { price: { $gt: price } })
    const first = scan.select(above(0))
    for (let price = 1; price < 64; price++) scan.select(above(price))
    expect(scan.select(above(0))).toBe(first)
    for (let price = 1; price <= 64; price++) scan.select(above(price))
    expect(scan.select(above(0))).not.toBe(first)
  })
})
