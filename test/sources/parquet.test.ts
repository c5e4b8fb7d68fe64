import { truncateSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { ReadOptions } from '../../src/sources/vector-file.js'
import { listSchema, parquet, parquetTable } from '../fixtures/write-parquet.js'
import {
  fvecs,
  invalidFile,
  readAll,
  readUntilError,
  temporaryFolder,
  type Rows,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 2000 }, (_, row) => Array.from({ length: 12 }, (__, i) => (row * 31 + i * 7) % 127))

const open = (bytes: Buffer, options?: ReadOptions): ReturnType<typeof openVectorFile> =>
  openVectorFile(folder.file('table.parquet', bytes), options)
const lists = (name: string, data: Rows = rows): { schema: ReturnType<typeof listSchema>; data: number[][] } => ({
  schema: listSchema(name),
  data: data as number[][],
})

describe('a Parquet file', () => {
  it.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const)('of codec %s is read', async (codec) => {
    expect((await readAll(await open(parquet(rows, { codec })))).rows).toEqual(rows)
  })

  it.each(['PLAIN', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT'] as const)('of encoding %s is read', async (encoding) => {
    for (const type of ['FLOAT', 'DOUBLE', 'FLOAT16'] as const) {
      const bytes = parquetTable({ columns: [{ schema: listSchema('x', type), data: rows, encoding }] })
      expect((await readAll(await open(bytes))).rows).toEqual(rows)
    }
  })

  it.each([
    ['as 2,000 row groups', { rowGroupSize: 1 }],
    ['as one row group', { rowGroupSize: 1e6 }],
    ['as one page', { rowGroupSize: 1e6, pageSize: 1e9 }],
    ['as pages of a few rows', { pageSize: 100 }],
  ])('%s is read from any row', async (_, options) => {
    const file = await open(parquet(rows, options))
    for (const startAt of [0, 1, 699, 700, 1999, 2000]) {
      expect((await readAll({ batches: () => file.batches(startAt) })).rows).toEqual(rows.slice(startAt))
    }
  })

  it('of no rows is read as no rows', async () => {
    const file = await open(parquetTable({ columns: [lists('x', [])] }))
    expect(file).toMatchObject({ count: 0, dimensions: undefined })
    expect((await readAll(file)).rows).toEqual([])
  })
})

describe('the column of vectors', () => {
  const table = parquetTable({
    columns: [
      lists('title'),
      lists('body', rows.map((row) => row.map((value) => value + 1))),
      { schema: listSchema('tokens', 'INT64'), data: rows.map((row) => row.map(BigInt)) },
      { schema: [{ name: 'url', type: 'BYTE_ARRAY', converted_type: 'UTF8' }], data: rows.map(() => 'x') },
    ],
  }) // prettier-ignore

  it('must be named when there are several', async () => {
    const error = await invalidFile(open(table))
    expect(error.message).toContain(
      'it has 2 columns of vectors: title, body; choose with vectorColumn (--vector-column)',
    )
    const read = await readAll(await open(table, { vectorColumn: 'body' }))
    expect(read.rows[3]).toEqual(rows[3].map((value) => value + 1))
  })

  it.each([
    [
      { vectorColumn: 'x' },
      'it has no column "x"; its columns are title (lists of FLOAT), body (lists of FLOAT), tokens',
    ],
    [
      { vectorColumn: 'tokens' },
      'its column "tokens" is lists of INT64, expected lists of float16, float32, float64 or 8-bit integers',
    ],
    [{ vectorColumn: 'url' }, 'its column "url" is UTF8, expected lists'],
    [{ vectorColumn: 'body', idColumn: 'x' }, 'it has no column "x" for ids'],
    [
      { vectorColumn: 'body', idColumn: 'title' },
      'its column "title" is lists of FLOAT, expected text or integers as ids',
    ],
  ])('is refused as %j with the existing columns', async (options, message) => {
    expect((await invalidFile(open(table, options))).message).toContain(message)
  })

  it('is refused when there is none', async () => {
    const bytes = parquetTable({ columns: [{ schema: [{ name: 'n', type: 'INT32' }], data: [1, 2] }] })
    expect((await invalidFile(open(bytes))).message).toContain(
      'it has no column of lists of float16, float32, float64 or 8-bit integers',
    )
  })

  it('is not an option of a format without columns', async () => {
    const path = folder.file('a.fvecs', fvecs(rows))
    await expect(openVectorFile(path, { vectorColumn: 'x' })).rejects.toThrow(InvalidOptionError)
    await expect(openVectorFile(path, { idColumn: 'x' })).rejects.toThrow('idColumn (--id-column) names a column of')
  })
})

describe('a list that is not a vector', () => {
  const withRow = (row: unknown, at = 900): Buffer => {
    const data: unknown[] = [...rows]
    data[at] = row
    return parquetTable({ columns: [{ schema: listSchema('x'), data }] })
  }
  const withNull: unknown[] = [...rows[0]]
  withNull[4] = null

  it.each([
    ['null', null, 'is null, or has a null in it'],
    ['a list with a null', withNull, 'is null, or has a null in it'],
    ['an empty list', [], 'is an empty list; pass invalid'],
    ['a shorter list', rows[0].slice(1), 'has 11 numbers, expected 12'],
    ['a longer list', [...rows[0], 1], 'has 13 numbers, expected 12'],
  ])('as %s ends the pass after all rows before it', async (_, row, message) => {
    for (const at of [1, 699, 700, 1500, 1999]) {
      const { rows: got, error } = await readUntilError(await open(withRow(row, at)))
      expect(String(error)).toContain(`the vector of row ${at} ${message}`)
      expect(got).toBe(at)
    }
  })

  it.each([
    ['null', null],
    ['a list with a null', withNull],
  ])("as %s is a row of NaN with invalid: 'skip', the first one too", async (_, row) => {
    for (const at of [0, 900, 1999]) {
      const expected: number[][] = [...rows]
      expected[at] = new Array<number>(12).fill(NaN)
      expect((await readAll(await open(withRow(row, at), { invalid: 'skip' }))).rows).toEqual(expected)
    }
  })

  it('in every row is refused', async () => {
    const bytes = parquetTable({ columns: [{ schema: listSchema('x'), data: rows.map(() => null) }] })
    expect((await invalidFile(open(bytes))).message).toContain('its column "x" has no vector: all are null or empty')
  })

  it('is one of more than 65,536 numbers', async () => {
    const error = await invalidFile(open(parquet([new Array<number>(65_537).fill(1)])))
    expect(error.message).toContain('its first vector has more than 65536 numbers')
  })
})

describe('the column of ids', () => {
  const withIds = (
    schema: object,
    data: unknown[],
    encoding?: 'DELTA_BINARY_PACKED' | 'DELTA_LENGTH_BYTE_ARRAY',
  ): Buffer =>
    parquetTable({
      columns: [
        lists('x'),
        { schema: [{ name: 'id', repetition_type: 'OPTIONAL', ...schema }], data, encoding } as never,
      ],
    })
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' }

  it.each([
    ['text', text, rows.map((_, i) => `é ${i}`), undefined],
    ['repeated text', text, rows.map((_, i) => `${i % 7}`), undefined],
    ['text of lengths', text, rows.map((_, i) => 'x'.repeat(i % 50)), 'DELTA_LENGTH_BYTE_ARRAY' as const],
    ['int32', { type: 'INT32' }, rows.map((_, i) => i - 1000), undefined],
    ['differences', { type: 'INT32' }, rows.map((_, i) => i * i), 'DELTA_BINARY_PACKED' as const],
  ])('of %s is read, from any row', async (_, schema, ids, encoding) => {
    const file = await open(withIds(schema, ids, encoding), { idColumn: 'id' })
    for (const startAt of [0, 1, 700, 1999]) {
      const read = await readAll({ batches: () => file.batches(startAt) })
      expect(read).toEqual({ rows: rows.slice(startAt), ids: ids.slice(startAt) })
    }
  })

  it('of int64 and uint64 gives numbers, and text where a number is not exact', async () => {
    const ids = rows.map((_, i) => BigInt(i) * 1_000_000_007n)
    const file = await open(withIds({ type: 'INT64' }, ids), { idColumn: 'id' })
    expect((await readAll(file)).ids).toEqual(ids.map(Number))
    ids[5] = 2n ** 53n
    ids[6] = -(2n ** 63n)
    const signed = await readAll(await open(withIds({ type: 'INT64' }, ids), { idColumn: 'id' }))
    expect(signed.ids?.slice(4, 8)).toEqual([4_000_000_028, '9007199254740992', '-9223372036854775808', 7_000_000_049])
    const whole = rows.map((_, i) => (i % 2 === 0 ? BigInt(i) : 2n ** 64n - BigInt(i)))
    const unsigned = await readAll(
      await open(withIds({ type: 'INT64', converted_type: 'UINT_64' }, whole), { idColumn: 'id' }),
    )
    expect(unsigned.ids?.slice(0, 4)).toEqual([0, '18446744073709551615', 2, '18446744073709551613'])
  })

  it('with a null is refused', async () => {
    const ids: unknown[] = rows.map((_, i) => `${i}`)
    ids[800] = null
    const { error } = await readUntilError(await open(withIds(text, ids), { idColumn: 'id' }))
    expect(String(error)).toMatch(/its column "id" has a null among rows \d+ to \d+/)
  })
})

describe('a damaged Parquet file', () => {
  const whole = parquet(rows)

  it('is refused when it is cut anywhere', async () => {
    for (const length of [0, 3, 8, 11, 12, 1000, whole.length - 9, whole.length - 1]) {
      const error = await invalidFile(open(whole.subarray(0, length)))
      expect(error.message).toMatch(/truncated|last bytes/)
    }
  })

  it('is refused when its metadata claims to be longer than the file', async () => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt32LE(0xfffffff0, bytes.length - 8)
    expect((await invalidFile(open(bytes))).message).toContain('its Parquet metadata claims 4294967280 bytes')
  })

  it('is refused when its metadata is another struct', async () => {
    const bytes = Buffer.from(whole)
    bytes.fill(0xff, bytes.length - 60, bytes.length - 8)
    expect((await invalidFile(open(bytes))).message).toContain('its Parquet metadata')
  })

  it('is refused at the damaged page, after the rows before it', async () => {
    const bytes = parquet(rows, { codec: 'GZIP', rowGroupSize: 500 })
    bytes.fill(0x55, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 2000)
    const { rows: got, error } = await readUntilError(await open(bytes))
    expect(got).toBeGreaterThanOrEqual(500)
    expect(got).toBeLessThan(2000)
    expect(String(error)).toMatch(/at byte \d+: the Parquet page of column "embedding" cannot be read: /)
  })

  it('is refused when its row groups have other numbers of vectors than the metadata', async () => {
    const bytes = parquet(rows.slice(0, 120), { rowGroupSize: 60 })
    // Two row groups of 60 rows, as an i64 of Thrift each, become 61 and 59.
    const first = bytes.indexOf(Buffer.of(0x16, 0x78), bytes.length - bytes.readUInt32LE(bytes.length - 8) - 8)
    const second = bytes.indexOf(Buffer.of(0x16, 0x78), first + 2)
    bytes[first + 1] = 0x7a
    bytes[second + 1] = 0x76
    const { rows: got, error } = await readUntilError(await open(bytes))
    expect(got).toBe(60)
    expect(String(error)).toContain('row group 0 has 60 vectors in column "embedding", expected 61')
  })

  it('is refused when it is truncated while it is read', async () => {
    const file = await open(parquet(rows, { codec: 'UNCOMPRESSED', pageSize: 1000 }))
    const reading = async (): Promise<void> => {
      for await (const _ of file.batches(0)) truncateSync(file.path, 100)
    }
    truncateSync(file.path, 40_000)
    expect((await invalidFile(reading())).message).toContain('it was changed after it was opened')
  })
})
