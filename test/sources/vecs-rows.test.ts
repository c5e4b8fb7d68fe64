import { describe, expect, it } from 'vitest'
import { readIvecs } from '../../src/sources/rows/read-ivecs.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import {
  bvecs,
  fvecs,
  int32,
  invalidFile,
  ivecs,
  readUntilError,
  temporaryFolder,
  type Rows,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()

interface RowFormat {
  readonly name: string
  readonly write: (rows: Rows) => Buffer
  readonly valueBytes: number
  readonly read: (path: string) => Promise<{ rows: number; error: unknown }>
}

const streamed = async (path: string): Promise<{ rows: number; error: unknown }> => {
  return readUntilError(await openVectorFile(path))
}
const whole = async (path: string): Promise<{ rows: number; error: unknown }> => {
  return { rows: (await readIvecs(path)).count, error: undefined }
}

const FORMATS: readonly RowFormat[] = [
  { name: 'fvecs', write: fvecs, valueBytes: 4, read: streamed },
  { name: 'bvecs', write: bvecs, valueBytes: 1, read: streamed },
  { name: 'ivecs', write: ivecs, valueBytes: 4, read: whole },
]

describe.each(FORMATS)('a $name file', ({ name, write, valueBytes, read }) => {
  const rows = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11, 12],
  ]
  const rowBytes = 4 + 4 * valueBytes

  it('cut inside a row is refused with both sizes and the offset of the broken row', async () => {
    const path = folder.file(`cut.${name}`, write(rows).subarray(0, 2 * rowBytes + 5))
    const error = await invalidFile(read(path))
    expect(error.message).toContain(`${path} at byte ${2 * rowBytes}: it is truncated`)
    expect(error.message).toContain(`multiple of ${rowBytes}, got ${2 * rowBytes + 5} bytes (2 rows and 5 bytes)`)
  })

  it('that is empty is refused', async () => {
    const error = await invalidFile(read(folder.file(`empty.${name}`, '')))
    expect(error.message).toContain('it is empty')
  })

  it.each([1, 2, 3])('of %i bytes is refused', async (length) => {
    const error = await invalidFile(read(folder.file(`tiny.${name}`, Buffer.alloc(length, 1))))
    expect(error.message).toContain(`it is truncated: ${name} begins with a row's d (4 bytes), got ${length} bytes`)
  })

  it.each([0, -1, -2147483648, 65_537, 2147483647])('with d = %i is refused', async (d) => {
    const error = await invalidFile(read(folder.file(`d.${name}`, Buffer.concat([int32(d), Buffer.alloc(64)]))))
    expect(error.message).toContain(`at byte 0: row 0 has d = ${d}, expected 1 to 65536`)
  })
})

describe.each(FORMATS.filter(({ name }) => name !== 'ivecs'))('a $name file with a row of another d', (format) => {
  const { name, write, valueBytes, read } = format

  it.each([1, 2, 70_000])('fails at row %i, after all rows before it', async (bad) => {
    const rows = Array.from({ length: 70_010 }, () => [1, 2, 3])
    const bytes = write(rows)
    const offset = bad * (4 + 3 * valueBytes)
    bytes.writeInt32LE(7, offset)
    const { rows: got, error } = await read(folder.file(`other-d.${name}`, bytes))
    expect(got).toBe(bad)
    expect(String(error)).toContain(`at byte ${offset}: row ${bad} has d = 7, expected 3 as in row 0`)
  })
})

describe('readIvecs', () => {
  it('reads rows, count and dimensions, also negative numbers', async () => {
    const path = folder.file(
      'good.ivecs',
      ivecs([
        [5, -1, 2147483647],
        [0, 7, -2147483648],
      ]),
    )
    expect(await readIvecs(path)).toEqual({
      rows: Int32Array.of(5, -1, 2147483647, 0, 7, -2147483648),
      count: 2,
      dimensions: 3,
    })
  })

  it('refuses a row of another d', async () => {
    const bytes = ivecs([[1], [2], [3]])
    bytes.writeInt32LE(2, 16)
    const error = await invalidFile(readIvecs(folder.file('other-d.ivecs', bytes)))
    expect(error.message).toContain('at byte 16: row 2 has d = 2, expected 1 as in row 0')
  })
})
