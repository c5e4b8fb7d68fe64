/** Files that other tools wrote: see test/fixtures/files/make-files.py. */
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { ReadOptions } from '../../src/sources/vector-file.js'
import { expectRows, readAll, readUntilError } from '../fixtures/write-vector-files.js'
import { REPOSITORY } from '../examples/run.js'

const fileOf = (name: string): string => path.join(REPOSITORY, 'test/fixtures/files', name)
const COUNT = 300
const rowOf = (r: number): number[] => Array.from({ length: 12 }, (_, i) => (31 * r + 7 * i) % 127)
const rows = Array.from({ length: COUNT }, (_, r) => rowOf(r))
const ids = rows.map((_, r) => `row-${r}`)
const uuids = rows.map((_, r) => `00000000-0000-0000-0000-${r.toString(16).padStart(12, '0')}`)
const STARTS = [0, 1, 99, 100, 250, 299, 300]

async function expectFile(
  name: string,
  options: ReadOptions,
  expected: typeof rows,
  expectedIds: unknown[],
): Promise<void> {
  const file = await openVectorFile(fileOf(name), options)
  for (const startAt of STARTS) {
    const read = await readAll({ batches: () => file.batches(startAt) })
    expectRows(read.rows, expected.slice(startAt))
    expect(read.ids).toEqual(expectedIds.slice(startAt))
  }
}

describe('an Arrow file', () => {
  it.each([
    'pyarrow-lz4.feather',
    'pyarrow-zstd.feather',
    'pyarrow-fixed-lz4.arrow',
    'pyarrow-dictionary.arrow',
    'polars.arrow',
    'polars-zstd.arrow',
    'polars-lz4.arrow',
    'polars-categorical.arrow',
  ])('%s is read with its ids from any row', async (name) => {
    await expectFile(name, { vectorColumn: 'embedding', idColumn: 'id' }, rows, ids)
  })

  it('has blocks of LZ4 that refer to the blocks before them', async () => {
    const many = Array.from({ length: 6000 }, (_, r) => rowOf(r))
    const manyIds = many.map((_, r) => `row-${r}`)
    await expectFile('pyarrow-lz4-blocks.arrow', { idColumn: 'id' }, many, manyIds)
  })

  it('of polars has long texts as ids', async () => {
    const texts = rows.map((_, r) => `a text before the vectors, longer than 12 bytes: ${r}`)
    await expectFile('polars-long-ids.arrow', { idColumn: 'id' }, rows, texts)
  })
})

describe.each(['arrow', 'parquet'])('a file of pyarrow, .%s,', (extension) => {
  it('has UUIDs as ids', async () => {
    await expectFile(`pyarrow-uuid.${extension}`, { idColumn: 'id' }, rows, uuids)
  })

  it('has lists of signed and unsigned bytes', async () => {
    const signed = rows.map((row) => row.map((value) => value - 60))
    await expectFile(`pyarrow-int8.${extension}`, { idColumn: 'id' }, signed, ids)
    await expectFile(`pyarrow-uint8.${extension}`, { idColumn: 'id' }, rows, ids)
  })

  it('ends at a null or an empty list with its row', async () => {
    const { rows: got, error } = await readUntilError(await openVectorFile(fileOf(`pyarrow-missing.${extension}`)))
    expect(got).toBe(5)
    expect(String(error)).toContain('the vector of row 5 is null')
    const file = await openVectorFile(fileOf(`pyarrow-missing.${extension}`))
    const after = await readUntilError({ batches: () => file.batches(150) })
    expect(after.rows).toBe(50)
    expect(String(after.error)).toContain("the vector of row 200 is an empty list; pass invalid: 'skip'")
  })

  it("gives a null or an empty list as a row of NaN with invalid: 'skip'", async () => {
    const expected = rows.map((row, r) => ([5, 7, 200].includes(r) ? row.map(() => NaN) : row))
    await expectFile(`pyarrow-missing.${extension}`, { invalid: 'skip' }, expected, [])
  })
})

describe('an array of NumPy', () => {
  it.each(['numpy-fortran.npy', 'numpy-big-endian.npy'])('%s is read from any row', async (name) => {
    await expectFile(name, {}, rows, [])
  })

  it.each([
    ['numpy-object.npy', "numpy.save(path, numpy.stack([numpy.asarray(row, '<f4') for row in array]))"],
    ['numpy-structured.npy', "numpy.save(path, array['vector'].astype('<f4'))"],
  ])('%s is refused with the line that converts it', async (name, hint) => {
    await expect(openVectorFile(fileOf(name))).rejects.toThrow(hint)
  })
})

describe('a file of named arrays', () => {
  const numbers = rows.map((_, r) => r)

  it.each(['numpy.npz', 'numpy-compressed.npz', 'numpy.safetensors'])('%s is read from any row', async (name) => {
    await expectFile(name, {}, rows, [])
    await expectFile(name, { vectorColumn: 'embedding', idColumn: 'labels' }, rows, numbers)
  })

  it.each(['numpy.npz', 'numpy-compressed.npz'])('%s has text as ids', async (name) => {
    await expectFile(name, { idColumn: 'id' }, rows, ids)
  })

  it.each([
    ['numpy.npz', { vectorColumn: 'x' }, 'it has no array "x"; its arrays are embedding (<f4 (300, 12)), labels'],
    ['numpy.npz', { vectorColumn: 'labels' }, 'its array "labels" is <i8 (300), expected floats or short integers'],
    [
      'numpy.safetensors',
      { vectorColumn: 'x' },
      'it has no array "x"; its arrays are labels (I64 (300)), embedding (F32 (300, 12))',
    ],
    ['numpy.safetensors', { idColumn: 'norms' }, 'its array "norms" is F32 (300), expected text or integers'],
  ])('%s is refused as %j with the existing arrays', async (name, options, message) => {
    await expect(openVectorFile(fileOf(name), options)).rejects.toThrow(message)
  })
})

describe('HDF5 of h5py', () => {
  it.each(['float16', 'big-endian', 'float16-big-endian', 'float64-big-endian', 'int16-big-endian'])(
    'of %s is read from any row',
    async (type) => {
      await expectFile(`h5py-${type}.hdf5`, {}, rows, [])
    },
  )
})
