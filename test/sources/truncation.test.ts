import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidFileError } from '../../src/errors.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { bin, bvecs, fvecs, npy, npyOf, readAll, temporaryFolder, type Rows } from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()

const FORMATS = [
  // A file of bare rows has no count, so a cut exactly between two rows leaves a valid file with that many rows.
  { extension: 'fvecs', write: fvecs, rowBytes: (d: number): number => 4 + 4 * d },
  { extension: 'bvecs', write: bvecs, rowBytes: (d: number): number => 4 + d },
  { extension: 'npy', write: npy, rowBytes: undefined },
  { extension: 'npy', write: (rows: Rows): Buffer => npyOf('<f2', rows), rowBytes: undefined },
  { extension: 'fbin', write: (rows: Rows): Buffer => bin('f4', rows), rowBytes: undefined },
  { extension: 'u8bin', write: (rows: Rows): Buffer => bin('u1', rows), rowBytes: undefined },
] as const

const matrix = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 9 })).chain(([count, d]) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: d, maxLength: d }), {
    minLength: count,
    maxLength: count,
  }),
)

async function outcomeOf(path: string): Promise<{ count: number | undefined; rows: number[][] } | InvalidFileError> {
  try {
    const file = await openVectorFile(path)
    return { count: file.count, rows: (await readAll(file)).rows }
  } catch (error) {
    if (error instanceof InvalidFileError) return error
    throw error
  }
}

describe.each(FORMATS)('a $extension file cut at any byte', ({ extension, write, rowBytes }) => {
  it('is refused, or gives exactly its whole rows', async () => {
    await fc.assert(
      fc.asyncProperty(matrix, fc.noBias(fc.nat(999)), async (rows: Rows, where) => {
        const whole = write(rows)
        const length = Math.floor((where / 1000) * whole.length)
        const outcome = await outcomeOf(folder.file(`cut.${extension}`, whole.subarray(0, length)))
        const oneRow = rowBytes?.(rows[0].length)
        if (oneRow === undefined || length === 0 || length % oneRow !== 0) {
          expect(outcome).toBeInstanceOf(InvalidFileError)
        } else {
          expect(outcome).toEqual({ count: length / oneRow, rows: rows.slice(0, length / oneRow) })
        }
      }),
      { numRuns: 300 },
    )
  })

  it('at each byte of one file, is never read as a whole file', async () => {
    const rows = Array.from({ length: 4 }, (_, i) => [i, 1, 2])
    const whole = write(rows)
    for (let length = 0; length < whole.length; length++) {
      const outcome = await outcomeOf(folder.file(`each.${extension}`, whole.subarray(0, length)))
      if (!(outcome instanceof InvalidFileError)) {
        expect(outcome.rows.length).toBe(outcome.count)
        expect(outcome.rows.length * (rowBytes?.(3) ?? NaN)).toBe(length)
      }
    }
  })

  it('and then filled with other bytes gives an InvalidFileError or whole rows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const outcome = await outcomeOf(folder.file(`noise.${extension}`, bytes))
        if (!(outcome instanceof InvalidFileError)) expect(outcome.rows.length).toBe(outcome.count)
      }),
      { numRuns: 200 },
    )
  })

  it.runIf(rowBytes !== undefined)('whose first row claims any d is refused, or has only rows of that d', async () => {
    await fc.assert(
      fc.asyncProperty(matrix, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), async (rows, d) => {
        const bytes = write(rows)
        bytes.writeInt32LE(d, 0)
        const outcome = await outcomeOf(folder.file(`hostile.${extension}`, bytes))
        if (!(outcome instanceof InvalidFileError)) expect(outcome.rows.every((row) => row.length === d)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
