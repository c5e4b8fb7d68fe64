import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldType } from '../../src/api/fields.js'
import { InvalidFieldError, InvalidOptionError } from '../../src/errors.js'
import { MAX_FIELD_ROW_BYTES } from '../../src/fields/encode-value.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { FieldRowsBuilder } from '../../src/fields/field-rows-builder.js'
import { anySchema, expectedOf, recordOf } from '../fixtures/field-records.js'
import { runs } from '../whole.js'

const schemaAndRecords = anySchema.chain((fields) =>
  fc.record({ fields: fc.constant(fields), records: fc.array(recordOf(fields), { maxLength: 8 }) }),
)

const codecOf = (types: Readonly<Record<string, FieldType>>): FieldCodec =>
  new FieldCodec(Object.entries(types).map(([name, type]) => ({ name, type })))

describe('fields', () => {
  it('come back as they were given', () => {
    fc.assert(
      fc.property(schemaAndRecords, ({ fields, records }) => {
        const codec = new FieldCodec(fields)
        const rows = codec.encodeRecords(records, 0)
        expect(rows.count).toBe(records.length)
        records.forEach((record, i) => expect(codec.decode(rows.row(i))).toEqual(expectedOf(fields, record)))
      }),
      { numRuns: runs(400) },
    )
  })

  it('have the same bytes as columns', () => {
    fc.assert(
      fc.property(schemaAndRecords, fc.nat(4), ({ fields, records }, from) => {
        const codec = new FieldCodec(fields)
        const columns = Object.fromEntries(
          fields.map(({ name }) => [
            name,
            records.map((record) => (Object.hasOwn(record, name) ? record[name] : null)),
          ]),
        )
        const part = records.slice(from)
        expect(codec.encodeColumns(columns, Math.min(from, records.length), records.length, 0)).toEqual(
          codec.encodeRecords(part, 0),
        )
      }),
      { numRuns: runs(200) },
    )
  })

  it('have the bytes of docs/format-fields.md', () => {
    const codec = codecOf({ flag: 'boolean', name: 'keyword', tags: 'keyword[]', sizes: 'number[]', more: 'stored' })
    const row = codec.encodeRecords([{ flag: true, tags: ['é', ''], sizes: [2], more: [1] }], 0).row(0)
    const f64 = [0, 0, 0, 0, 0, 0, 0, 0x40]
    expect(Array.from(row)).toEqual([
      0b11101,
      1,
      ...[2, 0, 0, 0, 2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0],
      ...[1, 0, 0, 0, ...f64],
      ...[3, 0, 0, 0, ...Buffer.from('[1]')],
    ])
  })

  it('are decoded at the wanted positions only', () => {
    const codec = codecOf({ a: 'number', b: 'keyword', c: 'boolean' })
    const rows = codec.encodeRecords([{ a: 1, b: 'x', c: true }], 0)
    expect(codec.decode(rows.row(0), new Set([0, 2]))).toEqual({ a: 1, c: true })
  })

  it('are one byte of presence bits for a record without any', () => {
    const rows = codecOf({ a: 'number' }).encodeRecords([undefined, null, {}, { a: undefined }], 0)
    expect(Array.from(rows.bytes)).toEqual([0, 0, 0, 0])
  })

  it('may be read from a class, and a name that every object has is missing unless it is its own', () => {
    class Row {
      get price(): number {
        return 5
      }
    }
    const codec = codecOf({ price: 'number', constructor: 'keyword' } as never)
    expect(codec.decode(codec.encodeRecords([new Row() as never], 0).row(0))).toEqual({ price: 5 })
  })

  it('are exact numbers of bigints and typed arrays, and whole milliseconds of dates', () => {
    const codec = codecOf({ a: 'number', b: 'number[]', c: 'date', d: 'date' })
    const record = { a: 7n, b: new BigInt64Array([1n, -2n]), c: 1.9, d: -1.9 }
    expect(codec.decode(codec.encodeRecords([record as never], 0).row(0))).toEqual({
      a: 7,
      b: [1, -2],
      c: new Date(1),
      d: new Date(-1),
    })
  })
})

const REFUSED: readonly (readonly [FieldType, unknown, string])[] = [
  ['keyword', 5, 'must be a string, got the number 5'],
  ['keyword', 'a\ud800', 'has half of a surrogate pair and cannot be stored as UTF-8'],
  ['text', ['a'], 'must be a string, got an array'],
  ['keyword[]', 'a', 'must be an array of strings, got the string "a"; put it into [ ]'],
  ['keyword[]', ['a', null], 'item 1 must be a string, got null'],
  ['keyword[]', ['\udc00'], 'item 0 has half of a surrogate pair and cannot be stored as UTF-8'],
  ['number', NaN, 'must be a finite number, got the number NaN'],
  ['number', -Infinity, 'must be a finite number, got the number -Infinity'],
  ['number', '5', 'must be a finite number, got the string "5"'],
  ['number', 2n ** 60n, 'of which a number loses digits; make the field a keyword'],
  ['number[]', [1, NaN], 'item 1 must be a finite number, got the number NaN'],
  ['date', new Date(NaN), 'must be a Date, text of ISO 8601 or milliseconds since 1970, got a Date'],
  ['date', 'yesterday', 'must be a Date, text of ISO 8601 or milliseconds since 1970, got the string "yesterday"'],
  ['date', 9e15, 'must be a Date, text of ISO 8601 or milliseconds since 1970, got the number 9000000000000000'],
  ['boolean', 1, 'must be true or false, got the number 1'],
  ['geo', [1, 2], 'got undefined for lat'],
  ['geo', { lat: 90.5, lon: 0 }, 'got the number 90.5 for lat'],
  ['geo', { lat: 1, lng: 2 }, 'got undefined for lon'],
  ['geo', { lat: 1, lon: NaN }, 'got the number NaN for lon'],
  ['stored', { at: new Date(0) }, 'must be a value of JSON, but has a Date, which JSON cannot express'],
  ['stored', [undefined], 'must be a value of JSON, but has undefined, which JSON cannot express'],
  ['stored', new Map(), 'must be a value of JSON, but has a Map, which JSON cannot express'],
  ['stored', { deep: [NaN] }, 'must be a value of JSON, but has NaN, which JSON cannot express'],
  ['stored', '\ud800', 'must be a value of JSON, but has text with half of a surrogate pair'],
  ['stored', { '\ud800': 1 }, 'must be a value of JSON, but has a name with half of a surrogate pair'],
  ['text', 'x'.repeat(MAX_FIELD_ROW_BYTES + 1), 'the fields of a record take at most 1048576 bytes'],
]

describe('a value of another kind is refused', () => {
  it.each(REFUSED)('%s: %o', (type, value, reason) => {
    const codec = codecOf({ first: 'number', wrong: type })
    const encode = () => codec.encodeRecords([{}, { first: 1, wrong: value } as never], 40)
    expect(encode).toThrow(InvalidFieldError)
    expect(encode).toThrow(reason)
    expect(encode).toThrow(/^record 41: field "wrong" .*; fix the source, or pass invalid: 'skip'/)
    const columns = { wrong: [null, value] }
    expect(() => codec.encodeColumns(columns as never, 0, 2, 40)).toThrow(reason)
  })
})

it('a stored value that contains itself is refused', () => {
  const list: unknown[] = []
  list.push(list)
  expect(() => codecOf({ a: 'stored' }).encodeRecords([{ a: list }], 0)).toThrow(
    'must be a value of JSON, but is nested more than 100 deep, or contains itself',
  )
})

describe('a record is refused', () => {
  const codec = codecOf({ price: 'number', title: 'text', note: 'text' })
  const refused = (fields: unknown): (() => unknown) => {
    return () => codec.encodeRecords([fields as never], 0)
  }

  it('for a name that is not in the schema, with the nearest one', () => {
    expect(refused({ prise: 1 })).toThrow('record 0: unknown field "prise"; did you mean "price"?')
    expect(refused({ colour: 1 })).toThrow('unknown field "colour"; the fields are price, title, note')
    expect(refused(JSON.parse('{"__proto__": 1}'))).toThrow('unknown field "__proto__"')
  })

  it.each([
    ['an array', []],
    ['a Map', new Map([['price', 1]])],
    ['a Date', new Date()],
    ['a Promise', Promise.resolve({ price: 1 })],
    ['the string "x"', 'x'],
  ])('that is %s', (kind, given) => {
    expect(refused(given)).toThrow(InvalidFieldError)
    expect(refused(given)).toThrow(typeof given === 'string' ? /fields must be|unknown field/ : kind)
  })

  it('whose fields together take more than 1 MiB', () => {
    const half = 'x'.repeat(MAX_FIELD_ROW_BYTES / 2 - 4)
    expect(refused({ title: half, note: half })).toThrow(
      'record 0: the fields take 1048577 bytes, at most 1048576 are possible; keep long values elsewhere',
    )
    expect(refused({ title: half, note: half.slice(1) })).not.toThrow()
  })

  it('with its id, and without the option where there is none', () => {
    const builder = new FieldRowsBuilder(codec.fields, { invalidOption: false })
    expect(() => builder.add({ price: 'x' }, 3, 'a')).toThrow(
      /^record 3 \(id "a"\): field "price" must be a finite number, got the string "x"$/,
    )
  })
})

describe('FieldRowsBuilder', () => {
  it('keeps nothing of a record that it refuses, and goes on', () => {
    const codec = codecOf({ a: 'keyword', b: 'number' })
    const builder = new FieldRowsBuilder(codec.fields)
    builder.add({ a: 'one' }, 0)
    expect(() => builder.add({ a: 'a longer text', b: NaN }, 1)).toThrow(InvalidFieldError)
    builder.add({ b: 2 }, 2)
    expect(builder.count).toBe(2)
    expect(builder.take()).toEqual(codec.encodeRecords([{ a: 'one' }, { b: 2 }], 0))
    expect(builder.count).toBe(0)
  })

  it('ends with a refused record as if it had not been given', () => {
    const builder = new FieldRowsBuilder([{ name: 'a', type: 'keyword' }])
    builder.add({ a: 'x' }, 0)
    expect(() => builder.add({ a: 'y', b: 1 }, 1)).toThrow(InvalidFieldError)
    const rows = builder.take()
    expect(rows.bytes.length).toBe(rows.offsets[1])
  })

  it('takes rows that are encoded already', () => {
    const codec = codecOf({ a: 'keyword' })
    const rows = codec.encodeRecords(
      Array.from({ length: 500 }, (_, i) => ({ a: 'x'.repeat(i) })),
      0,
    )
    const builder = new FieldRowsBuilder(codec.fields)
    for (let i = 0; i < rows.count; i++) builder.addEncoded(rows.row(i))
    expect(builder.byteLength).toBe(rows.bytes.length)
    expect(builder.take()).toEqual(rows)
  })
})

describe('columns', () => {
  const codec = codecOf({ price: 'number', title: 'text' })

  it('may be typed arrays, and those that are not given are missing', () => {
    const rows = codec.encodeColumns({ price: new Float32Array([1, 2]) }, 0, 2, 0)
    expect([0, 1].map((i) => codec.decode(rows.row(i)))).toEqual([{ price: 1 }, { price: 2 }])
  })

  it.each([
    [{ prise: [1] }, 'a batch has the unknown field "prise"; did you mean "price"?'],
    [{ price: [1, 2, 3] }, 'a batch has 2 vectors and 3 values of "price"; give a value for each vector'],
    [{ price: 5 }, 'a batch has the number 5 as "price"; give an array, a value for each vector'],
    [[{ price: 5 }], 'the fields of a batch must be an object of columns, got an array'],
  ])('are refused: %o', (columns, message) => {
    expect(() => codec.columnsOf(columns as never, 2)).toThrow(InvalidOptionError)
    expect(() => codec.columnsOf(columns as never, 2)).toThrow(message)
  })
})
