import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldSchema, GivenFields } from '../../src/api/fields.js'
import type { InvalidFieldError } from '../../src/errors.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { assertFields } from '../../src/fields/schema.js'
import { assertNoFields, FieldCollector, type BatchFields } from '../../src/pipeline/ingest/field-collector.js'
import { eachRecord } from '../../src/pipeline/segments/numbered-records.js'
import { makeRun } from '../fixtures/tasks.js'

const SCHEMA: FieldSchema = { name: 'keyword', price: 'number', tags: 'keyword[]', note: 'stored' }
const FIELDS = assertFields(SCHEMA)
const codec = new FieldCodec(FIELDS)

/** Some of them are refused: NaN is no number. */
const given: fc.Arbitrary<GivenFields> = fc.record(
  {
    name: fc.string({ maxLength: 8, unit: 'grapheme' }),
    price: fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.constant(Number.NaN)),
    tags: fc.array(fc.string({ maxLength: 4, unit: 'grapheme' }), { maxLength: 3 }),
    note: fc.string({ maxLength: 3000 }),
  },
  { requiredKeys: [] },
)
const isRefused = ({ price }: GivenFields): boolean => Number.isNaN(price)

const columnsOf = (records: readonly GivenFields[]): BatchFields =>
  Object.fromEntries(FIELDS.map(({ name }) => [name, records.map((one) => one[name] ?? null)]))

type Add = (collector: FieldCollector, records: readonly GivenFields[], first: number) => Promise<void>

const asRecords: Add = async (collector, records, first) => {
  for (const [i, one] of records.entries()) await collector.addRecord(one, first + i, undefined)
}
const asRowsOf =
  (fieldsOf: (records: readonly GivenFields[]) => BatchFields): Add =>
  async (collector, records, first) => {
    const add = collector.rowsOf(fieldsOf(records), records.length)
    for (let i = 0; i < records.length; i++) await add(i, first + i, undefined)
  }

async function collect(
  pieces: readonly (readonly GivenFields[])[],
  add: Add,
  batchBytes: number,
): Promise<{ rows: Map<number, string>; refused: number[]; totalBytes: number }> {
  const run = makeRun({ fields: SCHEMA }, { batchBytes })
  const refused: number[] = []
  const collector = new FieldCollector(run, FIELDS, (_, ordinal) => refused.push(ordinal))
  let first = 0
  for (const piece of pieces) {
    await add(collector, piece, first)
    first += piece.length
  }
  const { records, totalBytes, fields } = await collector.finish()
  expect(fields).toEqual(FIELDS)
  const rows = new Map<number, string>()
  for await (const { bytes } of records) {
    eachRecord(bytes, (ordinal, from, to) => {
      expect(ordinal).toBe(rows.size)
      rows.set(ordinal, Buffer.from(bytes.subarray(from, to)).toString('hex'))
    })
  }
  return { rows, refused, totalBytes }
}

describe('FieldCollector', () => {
  it('has one row for each ordinal, in order, however they are given', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(given, { maxLength: 40 }), { maxLength: 6 }),
        fc.integer({ min: 64, max: 5000 }),
        async (pieces, batchBytes) => {
          const all = pieces.flat()
          const expected = all.map((one) =>
            isRefused(one) ? '' : Buffer.from(codec.encodeRecords([one], 0).row(0)).toString('hex'),
          )
          for (const add of [asRecords, asRowsOf(columnsOf)]) {
            const { rows, refused, totalBytes } = await collect(pieces, add, batchBytes)
            expect([...rows.values()]).toEqual(expected)
            expect(refused).toEqual(all.flatMap((one, i) => (isRefused(one) ? [i] : [])))
            expect(totalBytes).toBe(expected.reduce((sum, hex) => sum + hex.length / 2, 0))
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  it('takes rows that are encoded already', async () => {
    const records = [{ name: 'a' }, {}, { price: 2 }]
    const encoded = await collect(
      [records],
      asRowsOf((some) => codec.encodeRecords(some, 0)),
      4096,
    )
    expect(encoded.rows).toEqual((await collect([records], asRecords, 4096)).rows)
  })

  it('keeps more rows than wait at once', async () => {
    const records = Array.from({ length: 5000 }, (_, i) => ({ name: `name ${i}`, note: 'x'.repeat(i % 300) }))
    const { rows } = await collect([records], asRowsOf(columnsOf), 4096)
    expect(codec.decode(Buffer.from(rows.get(4321) ?? '', 'hex'))).toEqual(records[4321])
  })

  it('gives vectors of a batch without fields a row without values', async () => {
    const run = makeRun({ fields: SCHEMA })
    const collector = new FieldCollector(run, FIELDS, () => undefined)
    await collector.rowsOf(undefined, 1)(0, 0, undefined)
    await collector.addRecord(undefined, 1, undefined)
    expect((await collector.finish()).totalBytes).toBe(2)
  })

  it('names the ordinal and the id of refused fields', async () => {
    const errors: InvalidFieldError[] = []
    const collector = new FieldCollector(makeRun(), FIELDS, (error) => errors.push(error))
    await collector.addRecord({ price: '7' }, 12, 'doc-12')
    expect(errors[0].message).toMatch(/^record 12 \(id "doc-12"\): field "price" /)
  })

  it('refuses columns of another length than the batch', () => {
    const collector = new FieldCollector(makeRun(), FIELDS, () => undefined)
    expect(() => collector.rowsOf({ price: [1, 2] }, 3)).toThrow('a batch has 3 vectors and 2 values of "price"')
  })
})

describe('assertNoFields', () => {
  it('names the option that is missing, with the names that were given', () => {
    expect(() => assertNoFields({ title: 'a', price: 1 }, 'record 3')).toThrow(
      'record 3 has fields, and the build does not know their types: pass fields: { "title": …, "price": … }',
    )
    for (const none of [undefined, null]) assertNoFields(none, 'record 3')
  })
})
