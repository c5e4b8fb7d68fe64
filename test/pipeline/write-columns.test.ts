import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GivenFields } from '../../src/api/fields.js'
import type { Field } from '../../src/fields/field.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import { segmentFileName } from '../../src/format/segment/segment-file.js'
import { assertItemsFit } from '../../src/pipeline/fields/columns/items-fit.js'
import { writeColumns } from '../../src/pipeline/fields/columns/write-columns.js'
import { sortDistinct } from '../../src/pipeline/fields/sort/sort-distinct.js'
import { ALL_TYPES, someRecords, withFields, writeFieldFiles, type FieldFilesMade } from '../fixtures/field-files.js'
import { randomNumbers } from '../fixtures/tasks.js'

const FIELDS: readonly Field[] = ALL_TYPES.map((type) => ({ name: `the ${type}`, type }))

const bytesOf = ({ directory, files }: FieldFilesMade): Map<string, string> =>
  new Map(files.map(({ name }) => [name, readFileSync(join(directory, name)).toString('base64')]))

/** Keywords that no table of a small budget holds, some of them again and again. */
function manyKeywords(count: number): GivenFields[] {
  const random = randomNumbers(3)
  return Array.from({ length: count }, (_, row) => ({
    'the keyword': `a value of row ${(row * 7919) % count}`,
    'the keyword[]': Array.from({ length: row % 4 }, () => `tag ${Math.floor(random() ** 3 * 2 * count)}`),
  }))
}

describe('writeColumns', () => {
  it('writes the same bytes whatever the memory and the segments', async () => {
    await fc.assert(
      fc.asyncProperty(someRecords(FIELDS), async (records) => {
        const expected = bytesOf(await writeFieldFiles(FIELDS, records))
        const tight = bytesOf(await writeFieldFiles(FIELDS, records, { budgetBytes: 0, limitBytes: 0 }))
        expect(tight).toEqual(expected)
      }),
      { numRuns: 15 },
    )
  })

  it('sorts keywords in runs where a table has no room for them, with the same result', async () => {
    const records = manyKeywords(9000)
    const expected = await writeFieldFiles(FIELDS, records)
    const tight = await writeFieldFiles(FIELDS, records, { budgetBytes: 60_000, limitBytes: 0 })
    expect(tight.run.queues.budget.spilledBytes).toBeGreaterThan(100_000)
    expect(bytesOf(tight)).toEqual(bytesOf(expected))
    withFields(tight, 2 ** 22, (open) => {
      for (const row of [0, 1, 4500, 8999]) {
        const filter = parseFilter(FIELDS, { 'the keyword': `a value of row ${(row * 7919) % 9000}` })
        const { bits, size } = open.select(filter)
        expect([size, bits[row >>> 5]]).toEqual([1, (1 << (row & 31)) >>> 0])
      }
    })
  })

  it('gives the files by kind, each of all nodes, and leaves no queue behind', async () => {
    const { files, run } = await writeFieldFiles(FIELDS, manyKeywords(2500), { limitBytes: 0 })
    const ofText = segmentFileName('column', ALL_TYPES.indexOf('text'))
    const columns = files.slice(
      0,
      files.findIndex(({ name }) => name === ofText),
    )
    expect(columns.map(({ name, firstNode, count }) => [name, firstNode, count])).toEqual([
      ...[0, 1, 2, 3].map((at) => [`fields-00${at}.seg`, 700 * at, Math.min(700, 2500 - 700 * at)]),
      ...[0, 1, 2, 3, 4, 5, 6].map((field) => [`column-00${field}.seg`, 0, 2500]),
      ...[0, 1].map((field) => [`dictionary-00${field}.seg`, 0, 2500]),
    ])
    expect(run.queues.budget.memoryBytes).toBe(0)
  })

  it('stops when the build is aborted', async () => {
    const { run, files, fields } = await writeFieldFiles(FIELDS, manyKeywords(10))
    const aborted = { ...run, options: { ...run.options, signal: AbortSignal.abort() } }
    const written = { fields, count: 10, dimensions: 3, files: files.filter(({ kind }) => kind === 'fields') }
    await expect(writeColumns(aborted, written, 1e6)).rejects.toThrow(/interrupted/)
  })
})

describe('lists', () => {
  it('of more items than offsets count are refused, with what to do', () => {
    expect(() => assertItemsFit(2 ** 32 - 1, 'tags')).not.toThrow()
    expect(() => assertItemsFit(2 ** 32, 'tags')).toThrow(/"tags" have more than 4294967295 items.*give shorter lists/)
  })

  it('are sorted, and have no item twice', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }), (items) => {
        const numbers = Uint32Array.from([99, ...items, 0])
        const end = sortDistinct(numbers, 1, items.length + 1)
        expect(Array.from(numbers.subarray(1, end))).toEqual([...new Set(items)].sort((a, b) => a - b))
        expect(numbers[0]).toBe(99)
      }),
    )
  })
})
