import { DateDay, Field, FixedSizeList, Float32, Int64, Struct, Uint8, Uint64, Utf8, Int32 } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { ReadOptions } from '../../src/sources/vector-file.js'
import { arrow } from '../fixtures/write-arrow.js'
import { expectRows, invalidFile, readAll, readUntilError, temporaryFolder } from '../fixtures/write-vector-files.js'
import { some, WHOLE } from '../whole.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 2000 }, (_, row) => Array.from({ length: 12 }, (__, i) => (row * 31 + i * 7) % 127))

const open = (bytes: Buffer, options?: ReadOptions): ReturnType<typeof openVectorFile> =>
  openVectorFile(folder.file('table.arrow', bytes), options)

describe.each([
  { format: 'file', list: 'fixed' },
  { format: 'file', list: 'list' },
  { format: 'stream', list: 'fixed' },
  { format: 'stream', list: 'list' },
] as const)('an Arrow $format with lists ($list)', (shape) => {
  it.each(some(['f2', 'f4', 'f8'] as const, 2))('of %s is read from any row', async (type) => {
    for (const batchRows of some([700, 1, 5000], 3)) {
      const file = await open(arrow(rows, { ...shape, type, batchRows }))
      expect(file).toMatchObject({ format: 'arrow', count: 2000, dimensions: 12 })
      for (const startAt of [0, 1, 699, 700, 1999, 2000]) {
        expectRows((await readAll({ batches: () => file.batches(startAt) })).rows, rows.slice(startAt))
      }
    }
  })

  it('ends at a null after all rows before it', async () => {
    for (const at of [0, 1, 699, 700, 1999]) {
      const { rows: got, error } = await readUntilError(
        await open(arrow(rows, { ...shape, nulls: [at], batchRows: 700 })),
      )
      expect(got).toBe(at)
      expect(String(error)).toContain(`the vector of row ${at} is null, or has a null in it; pass invalid: 'skip'`)
    }
  })

  it("gives a null as a row of NaN with invalid: 'skip'", async () => {
    const bytes = arrow(rows, { ...shape, nulls: [0, 9, 1500, 1999], batchRows: 700 })
    const expected = rows.map((row, i) => ([0, 9, 1500, 1999].includes(i) ? row.map(() => NaN) : row))
    const file = await open(bytes, { invalid: 'skip' })
    for (const startAt of [0, 5, 1501]) {
      expectRows((await readAll({ batches: () => file.batches(startAt) })).rows, expected.slice(startAt))
    }
  })

  it('is refused when it is cut anywhere', async () => {
    const whole = arrow(rows, { ...shape, batchRows: 700 })
    for (let length = 0; length < whole.length; length += WHOLE ? 997 : 9970) {
      const error = await invalidFile(open(whole.subarray(0, length)))
      expect(error.message).toMatch(/truncated|damaged|cut|no vectors/)
    }
  })
})

describe('an Arrow list of another length', () => {
  it.each([1, 699, 700, 1999])('at row %i is refused there', async (at) => {
    const ragged = rows.map((row, i) => (i === at ? row.slice(2) : row))
    const { rows: got, error } = await readUntilError(await open(arrow(ragged, { list: 'list', batchRows: 700 })))
    expect(got).toBe(at)
    expect(String(error)).toContain(`the vector of row ${at} has 10 numbers, expected 12 as in the first one`)
  })
})

describe('the columns of Arrow', () => {
  const struct = new Struct([Field.new('a', new Int32()), Field.new('b', new Utf8())])
  const before = {
    text: rows.map((_, i) => `t${i}`),
    flag: rows.map((_, i) => i % 3 === 0),
    category: rows.map((_, i) => `c${i % 5}`),
    pair: rows.map((_, i) => ({ a: i, b: `${i}` })),
    day: rows.map((_, i) => new Date(86_400_000 * i)),
    other: rows.map((row) => row.map((value) => value + 1)),
  }
  const types = {
    text: new Utf8(),
    pair: struct,
    day: new DateDay(),
    other: new FixedSizeList(12, Field.new('item', new Float32())),
    n: new Int64(),
    small: new Uint8(),
  }
  const after = { n: rows.map((_, i) => BigInt(i) * 1_000_000_007n), small: rows.map((_, i) => i % 251) }
  const table = arrow(rows, { before, after, types, batchRows: 700, format: 'stream' })

  it('are found after columns of other types', async () => {
    const file = await open(table, { vectorColumn: 'embedding' })
    expectRows((await readAll(file)).rows, rows)
    const other = await open(table, { vectorColumn: 'other' })
    expectRows((await readAll(other)).rows, before.other)
  })

  it.each([
    ['text', before.text],
    ['category', before.category],
    ['n', after.n.map(Number)],
    ['small', after.small],
  ])('can be ids: %s, from any row', async (idColumn, ids) => {
    const file = await open(table, { vectorColumn: 'embedding', idColumn })
    for (const startAt of [0, 1, 700, 1999]) {
      const read = await readAll({ batches: () => file.batches(startAt) })
      expectRows(read.rows, rows.slice(startAt))
      expect(read.ids).toEqual(ids.slice(startAt))
    }
  })

  it.each([
    [{}, 'it has 2 columns of vectors: other, embedding; choose with vectorColumn (--vector-column)'],
    [
      { vectorColumn: 'text' },
      'its column "text" is text, expected lists of float16, float32, float64 or 8-bit integers',
    ],
    [
      { vectorColumn: 'x' },
      'it has no column "x"; its columns are text (text), flag (bool), category (text in a dictionary)',
    ],
    [{ vectorColumn: 'other', idColumn: 'day' }, 'its column "day" is date, expected text or integers as ids'],
  ])('are refused as %j with the existing columns', async (options, message) => {
    expect((await invalidFile(open(table, options))).message).toContain(message)
  })

  it('give ids of 64 bits exactly, as text beyond 2^53', async () => {
    const exact = rows.map((_, i) => 2n ** 53n - 2n + BigInt(i))
    for (const [type, least] of [
      [new Int64(), 0n],
      [new Uint64(), 2n ** 63n],
    ] as const) {
      // prettier-ignore
      const ids = exact.map((id) => id + least)
      const file = await open(arrow(rows, { after: { id: ids }, types: { id: type } }), { idColumn: 'id' })
      expect((await readAll(file)).ids).toEqual(ids.map((id) => (id < 2n ** 53n ? Number(id) : String(id))))
    }
  })

  it('are refused as ids with a null', async () => {
    const withNull = arrow(rows, {
      after: { id: rows.map((_, i) => (i === 900 ? null : `${i}`)) },
      types: { id: new Utf8() },
    })
    const { error } = await readUntilError(await open(withNull, { idColumn: 'id' }))
    expect(String(error)).toContain('a null in its column "id", expected an id in every row')
  })
})
