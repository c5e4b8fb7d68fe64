/** Columns and dictionaries with correct checksums and wrong content, and with wrong checksums. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldType } from '../../src/api/fields.js'
import { CorruptIndexError } from '../../src/errors.js'
import type { Field } from '../../src/fields/field.js'
import { parseFilter } from '../../src/fields/filter/parse-filter.js'
import type { SegmentFile } from '../../src/format/segment/segment-file.js'
import { fieldFileHeader, SEGMENT_HEADER_BYTES } from '../../src/format/segment/segment-header.js'
import { readSegmentHeader } from '../../src/format/segment/read-segment-header.js'
import { readSegmentData } from '../../src/format/segment/segment-reader.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import { VerifyFindings, type VerifyProblem } from '../../src/format/verify/verify-report.js'
import { verifyColumns } from '../../src/format/verify/verify-columns.js'
import type { OpenFields } from '../../src/search/fields/open-fields.js'
import { ALL_TYPES, DIMENSIONS, withFields, writeFieldFiles, type FieldFilesMade } from '../fixtures/field-files.js'
import { HOSTILE_WORDS } from './damage.js'
import { runs } from '../whole.js'

const FIELDS: readonly Field[] = ALL_TYPES.map((type) => ({ name: `the ${type}`, type }))

const RECORDS = Array.from({ length: 140 }, (_, row) => ({
  'the keyword': row % 5 === 0 ? undefined : `k${row % 9}`,
  'the keyword[]': row % 3 === 0 ? [] : [`t${row % 7}`, `u${row % 11}`],
  'the number': row % 6 === 0 ? undefined : row / 4,
  'the number[]': row % 4 === 0 ? [] : [row, -row, 3],
  'the date': 1000 * row,
  'the boolean': row % 3 === 0 ? undefined : row % 2 === 0,
  'the geo': row % 8 === 0 ? undefined : { lat: row / 2, lon: -row },
  'the text': `text ${row}`,
  'the stored': { row },
}))

const FILTERS: readonly object[] = [
  { 'the keyword': 'k3' },
  { 'the keyword': { $nin: ['k1', 'k3', 'k4', 'k6', 'k8'] } },
  { 'the keyword': { $in: ['k0', 'k2', 'k4', 'k6', 'k8'] } },
  { 'the keyword[]': { $gte: 't2', $lt: 'u5' } },
  { 'the keyword[]': { $exists: false } },
  { 'the number': { $gt: 3 } },
  { 'the number[]': { $in: [1, 2, 3, 4, 5, 6] } },
  { 'the date': { $lte: 77_000 } },
  { 'the boolean': { $ne: true } },
  { 'the geo': { $near: { lat: 40, lon: -80, km: 900 } } },
  { 'the text': { $exists: true } },
  { 'the stored': { $exists: false } },
]

/** Asks for everything that files of fields answer. */
function useAll(open: OpenFields): void {
  for (const filter of FILTERS) {
    const { bits, size } = open.select(parseFilter(FIELDS, filter))
    expect(size).toBeLessThanOrEqual(RECORDS.length)
    expect(bits.length).toBe(Math.ceil(RECORDS.length / 32))
    expect(bits[4] >>> (RECORDS.length - 128)).toBe(0)
  }
  for (const [field, { type }] of FIELDS.entries()) {
    if (type !== 'geo' && type !== 'text' && type !== 'stored') open.facets(field)
  }
}

/** What using the files throws: nothing but what names a damaged file. */
function useWhole(made: FieldFilesMade): void {
  for (const memory of [0, 2 ** 20]) {
    try {
      withFields(made, memory, useAll)
    } catch (error) {
      if (!(error instanceof CorruptIndexError)) throw error
    }
  }
}

async function problemsOf(made: FieldFilesMade): Promise<readonly VerifyProblem[]> {
  const findings = new VerifyFindings()
  const checks = made.files.map((file) => ({
    path: join(made.directory, file.name),
    file,
    manifest: made.manifest,
    findings,
    onBytes: () => undefined,
  }))
  const rows = checks.filter(({ file }) => file.kind === 'fields')
  await verifyColumns(FIELDS, rows, new Map(checks.map((check) => [check.file.name, check])), findings)
  return findings.problems
}

/** Columns and dictionaries; not of texts, whose column is another one. */
const derived = ({ files }: FieldFilesMade): SegmentFile[] =>
  files.filter(({ kind, name }) => (kind === 'column' && typeOf(name) !== 'text') || kind === 'dictionary')

const typeOf = (name: string): FieldType | undefined => ALL_TYPES[Number(/-(\d+)\.seg$/.exec(name)?.[1])]

async function dataOf({ directory }: FieldFilesMade, file: SegmentFile): Promise<Buffer> {
  const path = join(directory, file.name)
  const { dataBytes } = await readSegmentHeader(path, file)
  const data = Buffer.alloc(dataBytes)
  await readSegmentData(path, file, (offset, length) => data.subarray(offset, offset + length))
  return data
}

/** The files with other data in one of them, and with checksums of them. */
async function forged(made: FieldFilesMade, file: SegmentFile, data: Uint8Array): Promise<FieldFilesMade> {
  const { kind, count } = file
  if (kind !== 'column' && kind !== 'dictionary') throw new TypeError(`${kind} is not forged here`)
  const header = fieldFileHeader(kind, { count, dimensions: DIMENSIONS, dataBytes: data.length })
  const entry = await writeSegment(join(made.directory, file.name), header, data)
  return { ...made, files: made.files.map((one) => (one.name === file.name ? entry : one)) }
}

describe('files of fields', () => {
  it('are sound as they are written', async () => {
    const made = await writeFieldFiles(FIELDS, RECORDS, { perSegment: 60 })
    for (const memory of [0, 2 ** 20]) withFields(made, memory, useAll)
    expect(await problemsOf(made)).toEqual([])
  })

  it('with a forged word are used without harm, and verify finds the word', async () => {
    const made = await writeFieldFiles(FIELDS, RECORDS, { perSegment: 60 })
    const files = await Promise.all(derived(made).map(async (file) => ({ file, data: await dataOf(made, file) })))
    const word = fc.oneof(fc.constantFrom(...HOSTILE_WORDS), fc.nat(200), fc.nat(0xffffffff))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.noBias(fc.nat(999_999)),
        word,
        async ({ file, data }, place, value) => {
          const at = 4 * Math.floor((place / 1e6) * Math.floor(data.length / 4))
          const changed = Buffer.from(data)
          changed.writeUInt32LE(value, at)
          const forgery = await forged(made, file, changed)
          try {
            useWhole(forgery)
            const isSame = changed.equals(data) || sameNumbers(file, changed, data, at)
            expect((await problemsOf(forgery)).length > 0).toBe(!isSame)
          } finally {
            await forged(made, file, data)
          }
        },
      ),
      { numRuns: runs(150) },
    )
  })

  it('of another length are refused', async () => {
    const made = await writeFieldFiles(FIELDS, RECORDS)
    for (const file of derived(made)) {
      const data = await dataOf(made, file)
      for (const length of [0, 1, 7, data.length - 1, data.length + 1]) {
        const changed = Buffer.alloc(length)
        data.copy(changed)
        const forgery = await forged(made, file, changed)
        expect(() => withFields(forgery, 0, useAll), `${file.name} of ${length} bytes`).toThrow(CorruptIndexError)
        expect((await problemsOf(forgery)).length).toBeGreaterThan(0)
      }
      await forged(made, file, data)
    }
  })

  it('with a flipped bit are not used', async () => {
    const made = await writeFieldFiles(FIELDS, RECORDS)
    for (const file of derived(made)) {
      const path = join(made.directory, file.name)
      const bytes = readFileSync(path)
      const damaged = Buffer.from(bytes)
      damaged[SEGMENT_HEADER_BYTES + Math.floor((file.bytes - SEGMENT_HEADER_BYTES) / 3)] ^= 4
      writeFileSync(path, damaged)
      expect(() => withFields(made, 2 ** 20, useAll), file.name).toThrow(CorruptIndexError)
      writeFileSync(path, bytes)
    }
  })

  it('with dictionaries that say they have billions of values allocate nothing for them', async () => {
    const made = await writeFieldFiles(FIELDS, RECORDS)
    const [file] = made.files.filter(({ kind }) => kind === 'dictionary')
    const data = await dataOf(made, file)
    for (const size of [2 ** 32 - 1, 2 ** 31, 1e15, 0.5, -1, NaN, Infinity, Math.floor(data.length / 8)]) {
      data.writeDoubleLE(size, 0)
      const forgery = await forged(made, file, data)
      expect(() => withFields(forgery, 2 ** 30, useAll), String(size)).toThrow(/cannot hold/)
    }
  })

  it('with more keywords than rows or items are refused: counting them takes memory for each', async () => {
    let forgery = await writeFieldFiles(FIELDS, RECORDS)
    const values = 100_000
    const data = Float64Array.from({ length: values + 2 }, (_, i) => (i === 0 ? values : 0))
    for (const file of forgery.files.filter(({ kind }) => kind === 'dictionary')) {
      forgery = await forged(forgery, file, new Uint8Array(data.buffer))
      expect(
        () => withFields(forgery, 2 ** 30, (open) => open.facets(Number(/\d+/.exec(file.name)?.[0]))),
        file.name,
      ).toThrow(/100000 values for \d+ in the column/)
    }
  })
})

/** Whether the number at this place is NaN before and after. */
function sameNumbers({ name }: SegmentFile, a: Buffer, b: Buffer, at: number): boolean {
  if (typeOf(name)?.startsWith('keyword') !== false) return false
  return [at, at - 4].some((from) => {
    if (from < 0 || from + 8 > a.length) return false
    const others = Buffer.from(a)
    b.copy(others, from, from, from + 8)
    return others.equals(b) && Number.isNaN(a.readDoubleLE(from)) && Number.isNaN(b.readDoubleLE(from))
  })
}
