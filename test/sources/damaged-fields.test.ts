import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidFileError } from '../../src/errors.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { TABLE_SCHEMA, tableAsArrow, tableAsParquet, type FieldTable } from '../fixtures/write-fields.js'
import { temporaryFolder } from '../fixtures/write-vector-files.js'
import { runs } from '../whole.js'

const ROWS = Array.from({ length: 30 }, (_, row) => row)
const TABLE: FieldTable = {
  vectors: ROWS.map((row) => [row, 1, 2]),
  category: ROWS.map((row) => (row % 4 === 3 ? null : `category ${row % 3}`)),
  price: ROWS.map((row) => (row % 7 === 3 ? null : row / 4)),
  count: ROWS.map((row) => row),
  active: ROWS.map((row) => row % 2 === 0),
  published: ROWS.map((row) => new Date(Date.UTC(2024, 0, 1 + row))),
  tags: ROWS.map((row) => (row % 5 === 0 ? null : ['all', `tag ${row}`])),
  scores: ROWS.map((row) => [row, -row]),
}

const FILES = {
  parquet: tableAsParquet(TABLE, { rowGroupSize: 20 }),
  'parquet without compression': tableAsParquet(TABLE, { codec: 'UNCOMPRESSED' }),
  arrow: tableAsArrow(TABLE),
  'an arrow stream with dictionaries': tableAsArrow(TABLE, { inDictionary: true, format: 'stream' }),
} as const

describe.each(Object.entries(FILES))('fields of %s whose bytes are damaged', (_, whole) => {
  const folder = temporaryFolder()

  it('are refused by an error that names the file, or are as many as the rows', async () => {
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    })
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const bytes = Buffer.from(whole)
        for (const [at, by] of changes) bytes[at] ^= by
        const path = folder.file('damaged', bytes)
        try {
          const file = await openVectorFile(path, { vectorColumn: 'embedding', fields: TABLE_SCHEMA })
          for await (const { vectors, dimensions, fields = {} } of file.batches()) {
            expect(Object.keys(fields)).toEqual(Object.keys(TABLE_SCHEMA))
            for (const column of Object.values(fields)) expect(column.length).toBe(vectors.length / dimensions)
          }
        } catch (error) {
          if (!(error instanceof InvalidFileError)) throw error
          expect(error.message).toContain(path)
        }
      }),
      { numRuns: runs(800) },
    )
  })
})
