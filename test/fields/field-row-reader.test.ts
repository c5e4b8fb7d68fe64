import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldType } from '../../src/api/fields.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { FieldRowReader } from '../../src/fields/field-row-reader.js'
import type { Field } from '../../src/fields/field.js'
import { anySchema, recordOf } from '../fixtures/field-records.js'
import { runs } from '../whole.js'

const oneField = (type: FieldType): readonly Field[] => [{ name: 'a', type }]

/** Everything that can be read of a row, or the message of why it is none. */
function readingOf(fields: readonly Field[], bytes: Uint8Array, from: number, to: number): unknown {
  const reader = new FieldRowReader(fields)
  try {
    reader.open(bytes, from, to)
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    expect(fields.some((_, i) => reader.has(i) || reader.items(i) > 0)).toBe(false)
    // Positions in the surrounding bytes are no part of the row.
    return (error as Error).message
  }
  return fields.map((_, i) => ({
    has: reader.has(i),
    place: [reader.lat(i), reader.lon(i)],
    items: Array.from({ length: Math.min(reader.items(i), 1000) + 1 }, (_, j) => {
      const [start, end] = [reader.itemFrom(i, j), reader.itemTo(i, j)]
      if (end > 0) expect(from <= start && start <= end && end <= to).toBe(true)
      return [reader.itemNumber(i, j), Buffer.from(bytes.subarray(start, end)).toString('hex')]
    }),
  }))
}

/** The same row twice, in other surroundings: what is outside has no part in what is read. */
function readInSurroundings(fields: readonly Field[], row: Uint8Array): void {
  const readings = [0x00, 0xff].map((around) => {
    const bytes = new Uint8Array(row.length + 40).fill(around)
    bytes.set(row, 20)
    return readingOf(fields, bytes, 20, 20 + row.length)
  })
  expect(readings[1]).toEqual(readings[0])
}

describe('FieldRowReader', () => {
  it('reads nothing outside of a row, whatever the bytes', () => {
    fc.assert(
      fc.property(anySchema, fc.uint8Array({ maxLength: 80 }), (fields, row) => readInSurroundings(fields, row)),
      { numRuns: runs(2000) },
    )
  })

  it('reads nothing outside of a row that was changed or cut', () => {
    const changed = anySchema.chain((fields) =>
      fc.record({
        fields: fc.constant(fields),
        record: recordOf(fields),
        at: fc.nat(200),
        byte: fc.nat(255),
        cut: fc.nat(20),
      }),
    )
    fc.assert(
      fc.property(changed, ({ fields, record, at, byte, cut }) => {
        const row = new FieldCodec(fields).encodeRecords([record], 0).row(0)
        if (at < row.length) row[at] = byte
        readInSurroundings(fields, row.subarray(0, row.length - Math.min(cut, row.length)))
      }),
      { numRuns: runs(2000) },
    )
  })

  it('decodes a changed row, or throws a RangeError', () => {
    const fields: readonly Field[] = [
      { name: 'a', type: 'stored' },
      { name: 'b', type: 'date' },
      { name: 'c', type: 'keyword[]' },
    ]
    const codec = new FieldCodec(fields)
    fc.assert(
      fc.property(recordOf(fields), fc.nat(60), fc.nat(255), (record, at, byte) => {
        const row = codec.encodeRecords([record], 0).row(0)
        if (at < row.length) row[at] = byte
        try {
          codec.decode(row)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: runs(1000) },
    )
  })

  it.each([
    ['without presence bits', 'number', [], 'has 0 bytes left for a value of 1'],
    ['of a field that is not in the schema', 'number', [0b10], 'a row has an unknown field'],
    ['with a byte too many', 'boolean', [1, 1, 0], 'ends 1 bytes before its last byte'],
    ['cut in a number', 'number', [1, 0, 0], 'has 2 bytes left for a value of 8'],
    ['with NaN', 'number', [1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], 'has the number NaN'],
    ['with an infinite date', 'date', [1, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f], 'has the number Infinity'],
    ['with a boolean of 2', 'boolean', [1, 2], 'has the boolean 2'],
    ['with a text of 4 GiB', 'keyword', [1, 255, 255, 255, 255, 65], 'has 1 bytes left for a value of 4294967295'],
    ['with 4G numbers', 'number[]', [1, 255, 255, 255, 255], 'has 0 bytes left for a value of 34359738360'],
    ['with 4G texts', 'keyword[]', [1, 255, 255, 255, 255, 0, 0, 0, 0], 'has 0 bytes left for a value of 4'],
    ['with an empty list', 'keyword[]', [1, 0, 0, 0, 0], 'has an empty list'],
    [
      'with a place off the earth',
      'geo',
      [1, ...new Array<number>(7).fill(0), 0x60, ...new Array<number>(8).fill(0)],
      'has the place',
    ],
  ] as const)('refuses a row %s', (_, type, row, reason) => {
    const reader = new FieldRowReader(oneField(type))
    expect(() => reader.open(Uint8Array.from(row), 0, row.length)).toThrow(RangeError)
    expect(() => reader.open(Uint8Array.from(row), 0, row.length)).toThrow(reason)
  })

  it('refuses a row that does not lie in the bytes', () => {
    const reader = new FieldRowReader(oneField('number'))
    for (const [from, to] of [
      [-1, 1],
      [0, 9],
      [3, 2],
      [NaN, 2],
    ]) {
      expect(() => reader.open(new Uint8Array(8), from, to)).toThrow('cannot lie at')
    }
    expect(() => reader.open(new Uint8Array(3 << 20), 0, 3 << 20)).toThrow('cannot lie at')
  })

  it('reads the items of a list in any order, and none beyond its last', () => {
    const fields = oneField('keyword[]')
    const tags = ['one', '', 'three', 'vier', '5']
    const { bytes } = new FieldCodec(fields).encodeRecords([{ a: tags }], 0)
    const reader = new FieldRowReader(fields)
    reader.open(bytes, 0, bytes.length)
    const item = (j: number): string =>
      Buffer.from(bytes.subarray(reader.itemFrom(0, j), reader.itemTo(0, j))).toString()
    const order = [4, 0, 2, 2, 1, 3, 5, -1, 0.5]
    expect(order.map((j) => reader.itemText(0, j))).toEqual(order.map(item))
    expect(order.map(item)).toEqual(['5', 'one', 'three', 'three', '', 'vier', '', '', ''])
  })

  it('reads rows of other bytes, and of views, after one another', () => {
    const fields = oneField('number')
    const codec = new FieldCodec(fields)
    const reader = new FieldRowReader(fields)
    const rows = codec.encodeRecords([{ a: 1 }, {}, { a: 3 }], 0)
    const others = codec.encodeRecords([{ a: 4 }], 0)
    const numbers = [rows.row(0), rows.row(2), others.bytes, rows.row(1), new Uint8Array(others.row(0))].map((row) => {
      reader.open(row, 0, row.length)
      return reader.number(0)
    })
    expect(numbers).toEqual([1, 3, 4, NaN, 4])
  })
})
