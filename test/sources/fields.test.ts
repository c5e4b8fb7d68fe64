import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openVectorFile, openVectorFiles, type OpenVectorFileOptions } from '../../src/sources/open-vector-file.js'
import type { VectorFile } from '../../src/sources/vector-file.js'
import {
  TABLE_SCHEMA,
  tableAsArrow,
  tableAsCsv,
  tableAsJsonLines,
  tableAsParquet,
  type FieldTable,
} from '../fixtures/write-fields.js'
import { temporaryFolder } from '../fixtures/write-vector-files.js'
import { runs } from '../whole.js'

const NAMES = Object.keys(TABLE_SCHEMA) as (keyof typeof TABLE_SCHEMA)[]

interface Format {
  readonly name: string
  readonly extension: string
  readonly write: (table: FieldTable) => Uint8Array | string
  /** Types come from the file. */
  readonly hasTypes: boolean
}

const FORMATS: readonly Format[] = [
  { name: 'parquet', extension: 'parquet', write: (table) => tableAsParquet(table), hasTypes: true },
  {
    name: 'parquet in small pages and groups',
    extension: 'parquet',
    write: (table) => tableAsParquet(table, { rowGroupSize: 7, pageSize: 40 }),
    hasTypes: true,
  },
  { name: 'arrow', extension: 'arrow', write: (table) => tableAsArrow(table, { batchRows: 9 }), hasTypes: true },
  {
    name: 'an arrow stream with dictionaries',
    extension: 'arrows',
    write: (table) => tableAsArrow(table, { inDictionary: true, format: 'stream' }),
    hasTypes: true,
  },
  {
    name: 'arrow with lz4',
    extension: 'arrow',
    write: (table) => tableAsArrow(table, { compression: 'lz4' }),
    hasTypes: true,
  },
  { name: 'json-lines', extension: 'jsonl', write: tableAsJsonLines, hasTypes: false },
  { name: 'csv', extension: 'csv', write: (table) => tableAsCsv(table), hasTypes: false },
  { name: 'tsv', extension: 'tsv', write: (table) => tableAsCsv(table, '\t'), hasTypes: false },
]

type Column = readonly unknown[]

/** Every column from its beginning, in plain values: null for what is missing, milliseconds for dates. */
async function columnsOf(file: VectorFile, startAt = 0): Promise<Record<string, Column>> {
  const columns: Record<string, unknown[]> = {}
  for await (const { vectors, dimensions, fields = {} } of file.batches(startAt)) {
    for (const [name, column] of Object.entries(fields)) {
      expect(column.length).toBe(vectors.length / dimensions)
      ;(columns[name] ??= []).push(...Array.from(column, (value) => plain(value, file.fields?.[name])))
    }
  }
  return columns
}

function plain(value: unknown, type: string | undefined): unknown {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return null
  if (type === 'date')
    return Number(value instanceof Date ? value : typeof value === 'string' ? new Date(value) : value)
  return value
}

function expectedColumns(table: FieldTable, from = 0): Record<string, Column> {
  return Object.fromEntries(
    NAMES.map((name) => [name, table[name].slice(from).map((value) => plain(value, TABLE_SCHEMA[name]))]),
  )
}

const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((one) => one !== '' && one !== '\\N' && !/[\r\0]/.test(one))
/** Integers beyond 2^53 are refused in text. */
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))
  .map((value) => value + 0)
const date = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
const orNull = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { freq: 4 })

const tables = fc
  .array(
    fc.record({
      category: orNull(text),
      price: orNull(number),
      count: orNull(fc.integer()),
      active: orNull(fc.boolean()),
      published: orNull(date),
      tags: orNull(fc.array(text, { maxLength: 4 })),
      scores: orNull(fc.array(number, { maxLength: 4 })),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((rows): FieldTable => {
    const vectors = rows.map((_, row) => [row, 1, 2])
    return {
      vectors,
      ...Object.fromEntries(NAMES.map((name) => [name, rows.map((row) => row[name])])),
    } as unknown as FieldTable
  })

/** Rows of several batches, so that columns are cut where batches end. */
const LONG: FieldTable = longTable(1_200, 300)

function longTable(count: number, dimensions: number): FieldTable {
  const rows = Array.from({ length: count }, (_, row) => row)
  return {
    vectors: rows.map((row) => Array.from({ length: dimensions }, (_, i) => (row + i) % 100)),
    category: rows.map((row) => (row % 10 === 3 ? null : `category ${row % 7}`)),
    price: rows.map((row) => row / 4),
    count: rows.map((row) => (row % 5 === 0 ? null : row - 1000)),
    active: rows.map((row) => row % 3 === 0),
    published: rows.map((row) => new Date(1e12 + row * 1e7)),
    tags: rows.map((row) => Array.from({ length: 1 + (row % 4) }, (_, i) => `tag ${(row + i) % 9}`)),
    scores: rows.map((row) => (row % 6 === 0 ? null : [row, -row])),
  }
}

describe.each(FORMATS)('fields of $name', ({ extension, write, hasTypes }) => {
  const folder = temporaryFolder()
  const long = write(LONG)
  const open = (content: Uint8Array | string, fields: OpenVectorFileOptions['fields']): Promise<VectorFile> =>
    openVectorFile(folder.file(`table.${extension}`, content), { vectorColumn: vectorName(extension), fields })

  it('are what was written', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        expect(await columnsOf(await open(write(table), TABLE_SCHEMA))).toEqual(expectedColumns(table))
      }),
      { numRuns: runs(40) },
    )
  })

  it('begin at any row', async () => {
    const file = await open(long, TABLE_SCHEMA)
    for (const startAt of [1, 873, 1199]) {
      expect(await columnsOf(file, startAt)).toEqual(expectedColumns(LONG, startAt))
    }
  })

  it('are those that were asked for, in their order', async () => {
    const file = await open(long, { tags: 'keyword[]', category: 'keyword' })
    expect(Object.entries(file.fields ?? {})).toEqual([
      ['tags', 'keyword[]'],
      ['category', 'keyword'],
    ])
    for await (const { fields } of file.batches()) expect(Object.keys(fields ?? {})).toEqual(['tags', 'category'])
  })

  it('are none when none were asked for', async () => {
    const file = await open(long, undefined)
    expect(file.fields).toBeUndefined()
    for await (const batch of file.batches()) expect(batch.fields).toBeUndefined()
  })

  it.runIf(hasTypes)('have the types of the table where none is given', async () => {
    const file = await open(long, NAMES)
    expect(file.fields).toEqual(TABLE_SCHEMA)
    expect(await columnsOf(file)).toEqual(expectedColumns(LONG))
  })

  it.runIf(hasTypes)('are typed arrays where numbers have no gap', async () => {
    for await (const { fields } of (await open(long, ['price', 'published'])).batches()) {
      expect(fields?.price).toBeInstanceOf(Float64Array)
      expect(fields?.published).toBeInstanceOf(Float64Array)
    }
  })

  it('name the nearest column when one is not there', async () => {
    const reading = async (): Promise<unknown> => columnsOf(await open(long, { categroy: 'keyword' }))
    await expect(reading()).rejects.toMatchObject({
      code: 'SHARDLOOM_INVALID_FILE',
      message: expect.stringContaining('did you mean "category"?') as string,
    })
  })

  it('go on over several files', async () => {
    const paths = [0, 1].map((part) => folder.file(`part-${part}.${extension}`, long))
    const file = await openVectorFiles(paths, { vectorColumn: vectorName(extension), fields: TABLE_SCHEMA })
    expect(file.fields).toEqual(TABLE_SCHEMA)
    const all = expectedColumns(LONG)
    const rest = expectedColumns(LONG, 1_000)
    expect(await columnsOf(file, 1_000)).toEqual(
      Object.fromEntries(NAMES.map((name) => [name, [...rest[name], ...all[name]]])),
    )
  })
})

function vectorName(extension: string): string {
  return extension === 'parquet' || extension.startsWith('arrow') ? 'embedding' : 'vector'
}
