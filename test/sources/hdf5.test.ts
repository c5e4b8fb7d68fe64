import { describe, expect, it } from 'vitest'
import { MissingPackageError } from '../../src/errors.js'
import { loadH5wasm } from '../../src/sources/rows/plan-hdf5.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { ReadOptions } from '../../src/sources/vector-file.js'
import { hdf5 } from '../fixtures/write-hdf5.js'
import { invalidFile, readAll, temporaryFolder } from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 2000 }, (_, row) => Array.from({ length: 12 }, (__, i) => (row * 31 + i * 7) % 127))
const few = rows.slice(0, 3)

const open = (bytes: Buffer, options?: ReadOptions): ReturnType<typeof openVectorFile> =>
  openVectorFile(folder.file('set.hdf5', bytes), options)

describe('an HDF5 file', () => {
  it('gives train, the name in ann-benchmarks, or the named dataset', async () => {
    const bytes = hdf5({ train: rows, test: few, distances: few })
    expect((await readAll(await open(bytes))).rows).toEqual(rows)
    expect((await readAll(await open(bytes, { vectorColumn: 'test' }))).rows).toEqual(few)
  })

  it('gives the only dataset of two axes', async () => {
    expect((await readAll(await open(hdf5({ vectors: rows })))).rows).toEqual(rows)
  })

  it.each(['<f', '<d', '<h', '<b', '<B'] as const)('of %s is read', async (dtype) => {
    expect((await readAll(await open(hdf5({ train: rows }, { dtype })))).rows).toEqual(rows)
  })

  it.each([
    [{ a: few, b: few }, {}, 'it has 2 columns of vectors: a, b; choose with vectorColumn (--vector-column)'],
    [{ a: few }, { vectorColumn: 'x' }, 'it has no column "x"; its columns are a (floats of 4 bytes in 2 dimensions)'],
    [
      { a: few },
      { idColumn: 'a' },
      'its column "a" is floats of 4 bytes in 2 dimensions, expected text or integers as ids',
    ],
  ])('is refused when the dataset is ambiguous (%#)', async (datasets, options, message) => {
    expect((await invalidFile(open(hdf5(datasets), options))).message).toContain(message)
  })

  it('of 32-bit integers is refused, because float32 cannot hold them', async () => {
    const error = await invalidFile(open(hdf5({ train: few }, { dtype: '<i' })))
    expect(error.message).toContain('it has no column of lists of float16, float32, float64 or 8-bit integers')
  })

  it('is refused when it is cut anywhere', async () => {
    const whole = hdf5({ train: rows })
    for (let length = 8; length < whole.length; length += 4999) {
      const reading = open(whole.subarray(0, length)).then((file) => readAll(file))
      expect((await invalidFile(reading)).message).toMatch(
        /set\.hdf5: it is truncated, damaged, or not HDF5 that can be read/,
      )
    }
  })

  it('says what to install when its reader is missing', async () => {
    const missing = loadH5wasm('a.hdf5', () => Promise.reject(new Error("Cannot find package 'h5wasm'")))
    await expect(missing).rejects.toThrow('a.hdf5: HDF5 needs the package h5wasm: npm install h5wasm')
    await expect(missing).rejects.toBeInstanceOf(MissingPackageError)
  })
})
