import { DateDay, Field, Float64, Int64, Struct, TimestampNanosecond, Uint64, Utf8 } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { openVectorFile, type OpenVectorFileOptions } from '../../src/sources/open-vector-file.js'
import { arrow } from '../fixtures/write-arrow.js'
import { listSchema, parquetTable, type ParquetTable } from '../fixtures/write-parquet.js'
import { temporaryFolder } from '../fixtures/write-vector-files.js'

const VECTORS = [
  [1, 2],
  [3, 4],
]
const folder = temporaryFolder()

/** The types and the values of the fields of a file of two rows. */
async function fieldsOf(
  content: Uint8Array | string,
  fields: OpenVectorFileOptions['fields'],
  name = 'table',
): Promise<Record<string, unknown>> {
  const file = await openVectorFile(folder.file(name, content), { fields })
  const read: Record<string, unknown> = {}
  for await (const batch of file.batches()) {
    for (const [field, column] of Object.entries(batch.fields ?? {})) {
      read[field] = [file.fields?.[field], ...Array.from(column)]
    }
  }
  return read
}

type Element = ParquetTable['columns'][number]['schema'][number]

function parquetOf(columns: Readonly<Record<string, readonly [Omit<Element, 'name'>, ...unknown[]]>>): Buffer {
  const others = Object.entries(columns).map(([name, [element, ...data]]) => ({
    schema: [{ name, repetition_type: 'OPTIONAL' as const, ...element }],
    data,
  }))
  return parquetTable({ columns: [{ schema: listSchema('embedding'), data: VECTORS }, ...others] })
}

const BIG = 2n ** 53n

describe('columns of Parquet', () => {
  it('have the types of their values', async () => {
    const file = parquetOf({
      small: [{ type: 'INT64' }, BIG - 1n, -5n],
      decimal: [{ type: 'INT32', converted_type: 'DECIMAL', scale: 2, precision: 9 }, 123.45, -0.5],
      day: [{ type: 'INT32', converted_type: 'DATE' }, new Date('2024-05-01'), new Date('1969-12-31')],
      micros: [{ type: 'INT64', converted_type: 'TIMESTAMP_MICROS' }, new Date(1.5e12), new Date(-1)],
      json: [{ type: 'BYTE_ARRAY', converted_type: 'JSON' }, { a: [1] }, 'text'],
      gaps: [{ type: 'DOUBLE' }, Number.NaN, 2.5],
    })
    expect(await fieldsOf(file, ['small', 'decimal', 'day', 'micros', 'json', 'gaps'])).toEqual({
      small: ['number', Number(BIG - 1n), -5],
      decimal: ['number', 123.45, -0.5],
      day: ['date', Date.UTC(2024, 4, 1), -86_400_000],
      micros: ['date', 1.5e12, -1],
      json: ['stored', { a: [1] }, 'text'],
      gaps: ['number', null, 2.5],
    })
  })

  it('of integers beyond 2^53 are refused as numbers, and keep their digits as keywords', async () => {
    const file = parquetOf({ big: [{ type: 'INT64' }, BIG, 1n] })
    await expect(fieldsOf(file, ['big'])).rejects.toThrow('its column "big" has the integer 9007199254740992')
    await expect(fieldsOf(file, ['big'])).rejects.toThrow('give the field the type keyword')
    expect(await fieldsOf(file, ['big:keyword'])).toEqual({ big: ['keyword', '9007199254740992', '1'] })
  })
})

describe('columns of Arrow', () => {
  it('have the types of their values', async () => {
    const file = arrow(VECTORS, {
      after: {
        unsigned: [2n ** 40n, 7n],
        day: [new Date('2024-05-01'), new Date('1969-12-31')],
        nanos: [1_700_000_000_123, -1],
        gaps: [Number.NaN, 2.5],
        meta: [{ lang: 'en' }, null],
      },
      types: {
        unsigned: new Uint64(),
        day: new DateDay(),
        nanos: new TimestampNanosecond(),
        gaps: new Float64(),
        meta: new Struct([new Field('lang', new Utf8(), true)]),
      },
    })
    expect(await fieldsOf(file, ['unsigned', 'day', 'nanos', 'gaps', 'meta.lang'])).toEqual({
      unsigned: ['number', 2 ** 40, 7],
      day: ['date', Date.UTC(2024, 4, 1), -86_400_000],
      nanos: ['date', 1_700_000_000_123, -1],
      gaps: ['number', null, 2.5],
      'meta.lang': ['keyword', 'en', null],
    })
    await expect(fieldsOf(file, ['meta'])).rejects.toThrow('its column "meta" is struct, which no field can hold')
  })

  it('of integers beyond 2^53 are refused as numbers, and keep their digits as keywords', async () => {
    const file = arrow(VECTORS, { after: { big: [-BIG, 1n] }, types: { big: new Int64() } })
    await expect(fieldsOf(file, ['big'])).rejects.toThrow('its column "big" has the integer -9007199254740992')
    expect(await fieldsOf(file, ['big:keyword'])).toEqual({ big: ['keyword', '-9007199254740992', '1'] })
  })
})

describe('keys of JSON lines', () => {
  const lines = (...records: string[]): string => records.map((record) => `{"vector":[1,2],${record}}\n`).join('')

  it('have the types of the first values', async () => {
    const file = lines(
      '"a":"x","b":1,"c":true,"d":["t"],"e":[1.5],"f":{"lat":1,"lon":2},"g":1,"h":{"i":"deep"}',
      '"a":null,"b":2.5,"c":false,"d":[],"f":{"lat":3,"lon":4},"g":"one","h":{}',
    )
    expect(await fieldsOf(file, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h.i'], 'types.jsonl')).toEqual({
      a: ['keyword', 'x', null],
      b: ['number', 1, 2.5],
      c: ['boolean', true, false],
      d: ['keyword[]', ['t'], []],
      e: ['number[]', [1.5], undefined],
      f: ['geo', { lat: 1, lon: 2 }, { lat: 3, lon: 4 }],
      g: ['stored', 1, 'one'],
      'h.i': ['keyword', 'deep', undefined],
    })
  })

  it('of integers beyond 2^53 are refused as numbers, and keep their digits as keywords', async () => {
    const file = lines('"big":9007199254740993')
    await expect(fieldsOf(file, ['big'], 'big.jsonl')).rejects.toThrow('the integer 9007199254740993 as "big"')
    expect(await fieldsOf(file, ['big:keyword'], 'big.jsonl')).toEqual({ big: ['keyword', '9007199254740993'] })
  })
})

describe('cells of CSV', () => {
  const csv = (type: string, ...cells: string[]): Promise<Record<string, unknown>> =>
    fieldsOf(`vector\tx\n${cells.map((cell) => `[1, 2]\t${cell}\n`).join('')}`, [`x:${type}`], 'cells.tsv')

  it.each([
    ['keyword', ['NA', '', '\\N', ' a '], ['NA', undefined, undefined, ' a ']],
    ['number', ['1e3', ' -2 ', 'NA', 'nan'], [1000, -2, undefined, undefined]],
    ['boolean', ['t', 'No', '1'], [true, false, true]],
    ['keyword[]', ['["a","b"]', '{a,"b, c",NULL}', 'one, two'], [['a', 'b'], ['a', 'b, c'], ['one, two']]],
    ['number[]', ['{1,2}', '[3]'], [[1, 2], [3]]],
    [
      'geo',
      ['48.1, 11.6', '{"lat":1,"lon":2}'],
      [
        { lat: 48.1, lon: 11.6 },
        { lat: 1, lon: 2 },
      ],
    ],
    ['stored', ['{"a":1}', 'text'], [{ a: 1 }, 'text']],
  ])('are read as %s', async (type, cells, values) => {
    expect(await csv(type, ...cells)).toEqual({ x: [type, ...values] })
  })

  it.each([
    ['number', 'twelve', 'line 2 has "twelve", expected a number in column "x"'],
    ['boolean', 'maybe', 'expected true or false in column "x"'],
    ['stored', '{"a":', 'text that is not JSON'],
    ['number', '9007199254740993', 'give the field the type keyword'],
  ])('that are no %s are refused with their line: %s', async (type, cell, message) => {
    await expect(csv(type, cell)).rejects.toThrow(message)
  })
})
