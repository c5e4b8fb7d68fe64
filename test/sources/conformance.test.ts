import { existsSync, utimesSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { InvalidFileError, PathError } from '../../src/errors.js'
import { arrow } from '../fixtures/write-arrow.js'
import { hdf5 } from '../fixtures/write-hdf5.js'
import { npz, safetensors } from '../fixtures/write-tensors.js'
import { csvOfColumns, csvOfTexts, jsonArray, word2vec, wordLines } from '../fixtures/write-texts.js'
import { listSchema, parquet, parquetTable } from '../fixtures/write-parquet.js'
import {
  bin,
  bvecs,
  expectRows,
  fvecs,
  jsonLines,
  npy,
  npyBigEndian,
  npyFortran,
  npyOf,
  openaiBatch,
  openHandles,
  readAll,
  temporaryFolder,
  type Rows,
  zstdRaw,
} from '../fixtures/write-vector-files.js'
import { runs, WHOLE } from '../whole.js'

interface Format {
  readonly name: string
  /** Where it is not its name. */
  readonly format?: string
  readonly extension: string
  readonly value: fc.Arbitrary<number>
  readonly write: (rows: Rows) => Uint8Array | string
  readonly countKnown: boolean
  /** False where another format has the same layout. */
  readonly knownByContent?: boolean
  /** In the quick suite: one format of every family. */
  readonly quick?: boolean
  /** Its records cannot be without ids. */
  readonly ownIds?: boolean
}

const float = fc.float({ noNaN: true, noDefaultInfinity: true })
const byte = fc.integer({ min: 0, max: 255 })
const signedByte = fc.integer({ min: -128, max: 127 })
/** Half precision: 11 bits, and an exponent that keeps them normal. */
const half = fc
  .tuple(fc.integer({ min: -2047, max: 2047 }), fc.integer({ min: -3, max: 5 }))
  .map(([bits, exponent]) => bits * 2 ** exponent)
const npyFormat = (descr: string, value: fc.Arbitrary<number>): Format => ({
  name: `npy ${descr}`,
  format: 'npy',
  extension: 'npy',
  value,
  write: (rows) => npyOf(descr, rows),
  countKnown: true,
})

const FORMATS: readonly Format[] = [
  { name: 'fvecs', extension: 'fvecs', value: float, write: fvecs, countKnown: true, quick: true },
  { name: 'bvecs', extension: 'bvecs', value: byte, write: bvecs, countKnown: true },
  { name: 'npy', extension: 'npy', value: float, write: npy, countKnown: true },
  { ...npyFormat('<f2', half), quick: true },
  npyFormat('<f8', float),
  { ...npyFormat('in Fortran order', float), write: npyFortran, quick: true },
  { ...npyFormat('>f2', half), write: (rows) => npyBigEndian('f2', rows) },
  { ...npyFormat('>f4', float), write: (rows) => npyBigEndian('f4', rows), quick: true },
  { ...npyFormat('>f8', float), write: (rows) => npyBigEndian('f8', rows) },
  { ...npyFormat('>i2', fc.integer({ min: -32_768, max: 32_767 })), write: (rows) => npyBigEndian('i2', rows) },
  npyFormat('|i1', signedByte),
  npyFormat('|u1', byte),
  npyFormat('<i2', fc.integer({ min: -32_768, max: 32_767 })),
  npyFormat('<u2', fc.integer({ min: 0, max: 65_535 })),
  { name: 'fbin', extension: 'fbin', value: float, write: (rows) => bin('f4', rows), countKnown: true, quick: true },
  {
    name: 'u8bin',
    extension: 'u8bin',
    value: byte,
    write: (rows) => bin('u1', rows),
    countKnown: true,
    knownByContent: false,
  },
  {
    name: 'i8bin',
    extension: 'i8bin',
    value: signedByte,
    write: (rows) => bin('i1', rows),
    countKnown: true,
    knownByContent: false,
  },
  {
    name: 'parquet',
    extension: 'parquet',
    value: float,
    write: (rows) => parquet(rows),
    countKnown: true,
    quick: true,
  },
  {
    name: 'parquet of float64 without nulls',
    format: 'parquet',
    extension: 'parquet',
    value: float,
    write: (rows) => parquetTable({ columns: [{ schema: listSchema('x', 'DOUBLE', true), data: [...rows] }] }),
    countKnown: true,
  },
  {
    name: 'parquet of float16',
    format: 'parquet',
    extension: 'parquet',
    value: half,
    write: (rows) => parquetTable({ columns: [{ schema: listSchema('x', 'FLOAT16'), data: [...rows] }] }),
    countKnown: true,
  },
  { name: 'arrow', extension: 'arrow', value: float, write: (rows) => arrow(rows), countKnown: true, quick: true },
  {
    name: 'arrow stream of lists of float64',
    format: 'arrow',
    extension: 'arrows',
    value: float,
    write: (rows) => arrow(rows, { list: 'list', type: 'f8', format: 'stream' }),
    countKnown: true,
  },
  {
    name: 'arrow of float16',
    format: 'arrow',
    extension: 'feather',
    value: half,
    write: (rows) => arrow(rows, { type: 'f2' }),
    countKnown: true,
  },
  {
    name: 'arrow with lz4',
    format: 'arrow',
    extension: 'feather',
    value: float,
    write: (rows) => arrow(rows, { list: 'list', compression: 'lz4', batchRows: 5000 }),
    countKnown: true,
    quick: true,
  },
  {
    name: 'arrow with zstd that saves nothing',
    format: 'arrow',
    extension: 'arrow',
    value: float,
    write: (rows) => arrow(rows, { compression: 'zstd' }),
    countKnown: true,
  },
  { name: 'npz', extension: 'npz', value: float, write: (rows) => npz(rows), countKnown: true },
  {
    name: 'npz with deflate',
    format: 'npz',
    extension: 'npz',
    value: float,
    write: (rows) => npz(rows, true),
    countKnown: true,
    quick: true,
  },
  { name: 'safetensors', extension: 'safetensors', value: float, write: safetensors, countKnown: true, quick: true },
  {
    name: 'hdf5',
    extension: 'hdf5',
    value: float,
    write: (rows) => hdf5({ train: rows }),
    countKnown: true,
    quick: true,
  },
  {
    name: 'hdf5 in chunks of float64',
    format: 'hdf5',
    extension: 'h5',
    value: float,
    write: (rows) =>
      hdf5({ train: rows }, { dtype: '<d', chunks: [Math.min(50, rows.length), rows[0].length], compression: 1 }),
    countKnown: true,
  },
  { name: 'json-lines', extension: 'jsonl', value: float, write: jsonLines, countKnown: false },
  {
    name: 'json-lines with gzip',
    format: 'json-lines',
    extension: 'jsonl.gz',
    value: float,
    write: (rows) => gzipSync(jsonLines(rows), { level: 1 }),
    countKnown: false,
    quick: true,
  },
  {
    name: 'json-lines with zstd',
    format: 'json-lines',
    extension: 'jsonl.zst',
    value: float,
    write: (rows) => zstdRaw(jsonLines(rows)),
    countKnown: false,
  },
  {
    name: 'a JSON array',
    format: 'json-lines',
    extension: 'json',
    value: float,
    write: jsonArray,
    countKnown: false,
    quick: true,
  },
  {
    name: 'csv of vectors as text',
    format: 'csv',
    extension: 'csv',
    value: float,
    write: (rows) => csvOfTexts(rows),
    countKnown: false,
    knownByContent: false,
    quick: true,
  },
  {
    name: 'csv of columns',
    format: 'csv',
    extension: 'csv.gz',
    value: float,
    write: (rows) => gzipSync(csvOfColumns(rows), { level: 1 }),
    countKnown: false,
    knownByContent: false,
  },
  {
    name: 'tsv',
    extension: 'tsv',
    value: float,
    write: (rows) => csvOfTexts(rows, '\t'),
    countKnown: false,
    knownByContent: false,
  },
  {
    name: 'word-vectors',
    extension: 'vec',
    value: float,
    write: (rows) => wordLines(rows, true),
    countKnown: true,
    ownIds: true,
    quick: true,
  },
  { name: 'word2vec', extension: 'bin', value: float, write: word2vec, countKnown: true, ownIds: true },
  {
    name: "OpenAI's batch output",
    format: 'json-lines',
    extension: 'jsonl',
    value: float,
    write: (rows) => openaiBatch(rows),
    countKnown: false,
    ownIds: true,
  },
]

const BATCH_BYTES = 1024 * 1024

/** Rows that fill several batches, with values that tell rows and columns apart and that every format can hold. */
const manyRows = keepingResults((count, dimensions) =>
  Array.from({ length: count }, (_, row) => Array.from({ length: dimensions }, (__, i) => (row * 31 + i * 7) % 127)),
)

const manyValues = keepingResults((count, dimensions) => Float32Array.from(manyRows(count, dimensions).flat()))

/** Calls `make` once for every shape: writers take longer than the readers under test. */
function keepingResults<Result>(
  make: (count: number, dimensions: number) => Result,
): (count: number, dimensions: number) => Result {
  const made = new Map<string, Result>()
  return (count, dimensions) => {
    const key = `${count} x ${dimensions}`
    const result = made.get(key) ?? make(count, dimensions)
    made.set(key, result)
    return result
  }
}

const hasProc = existsSync('/proc/self/fd')

describe.each(FORMATS.filter(({ quick }) => WHOLE || quick))('the $name reader', (the) => {
  const { name, format = name, extension, value, write, countKnown, knownByContent = true, ownIds = false } = the
  const folder = temporaryFolder()
  /** What `write` makes of `manyRows`. */
  const written = keepingResults((count, dimensions) => write(manyRows(count, dimensions)))

  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70 }))
    .chain(([count, dimensions]) =>
      fc.array(fc.array(value, { minLength: dimensions, maxLength: dimensions }), {
        minLength: count,
        maxLength: count,
      }),
    )

  it('reads back exactly what was written', async () => {
    await fc.assert(
      fc.asyncProperty(matrix, async (rows) => {
        const file = await openVectorFile(folder.file(`exact.${extension}`, write(rows)))
        expectRows((await readAll(file)).rows, rows)
      }),
      { numRuns: runs(60) },
    )
  })

  it('begins at any row', async () => {
    const rows = manyRows(2000, 300)
    const file = await openVectorFile(folder.file(`from.${extension}`, written(2000, 300)))
    for (const startAt of [0, 1, 873, 1999, 2000]) {
      const got: number[][] = []
      for await (const { vectors } of file.batches(startAt)) {
        for (let at = 0; at < vectors.length; at += 300) got.push(Array.from(vectors.subarray(at, at + 300)))
      }
      expectRows(got, rows.slice(startAt))
    }
  })

  it('has a fingerprint that changes with its rows, its length and its time', async () => {
    const path = folder.file(`print.${extension}`, written(5, 6))
    const time = new Date(1e12)
    utimesSync(path, time, time)
    const fingerprint = async (): Promise<string | undefined> => (await openVectorFile(path)).fingerprint()
    const first = await fingerprint()
    expect(await fingerprint()).toBe(first)
    utimesSync(path, time, new Date(2e12))
    const touched = await fingerprint()
    folder.file(`print.${extension}`, written(6, 6))
    utimesSync(path, time, time)
    const longer = await fingerprint()
    folder.file(
      `print.${extension}`,
      write(
        manyRows(6, 5)
          .map((row) => [...row].reverse())
          .slice(0, 5),
      ),
    )
    utimesSync(path, time, time)
    expect(new Set([first, touched, longer, await fingerprint()]).size).toBe(4)
  })

  it('gives an error that names the file wherever it is cut, or no more than the rows before', async () => {
    const rows = manyRows(300, 40)
    const whole = Buffer.from(written(300, 40) as Uint8Array)
    const path = folder.file(`cut.${extension}`)
    for (let share = 0; share < 20; share++) {
      folder.file(`cut.${extension}`, whole.subarray(0, Math.floor((share * whole.length) / 20)))
      const got: number[][] = []
      const reading = async (): Promise<void> => {
        for await (const { vectors } of (await openVectorFile(path)).batches()) {
          for (let at = 0; at < vectors.length; at += 40) got.push(Array.from(vectors.subarray(at, at + 40)))
        }
      }
      const failure: unknown = await reading().catch((error: unknown) => error)
      if (failure !== undefined) expect(failure).toBeInstanceOf(InvalidFileError)
      if (failure instanceof InvalidFileError) expect(failure.message).toContain(path)
      else expect(got.length).toBeLessThan(300)
      expectRows(got, rows.slice(0, got.length))
    }
  })

  it('tells format, size, count and dimensions before a row is read', async () => {
    const content = written(11, 5)
    const file = await openVectorFile(folder.file(`facts.${extension}`, content))
    expect(file).toMatchObject({
      path: folder.file(`facts.${extension}`),
      format,
      bytes: content.length,
      count: countKnown ? 11 : undefined,
      dimensions: countKnown ? 5 : undefined,
    })
  })

  it.runIf(knownByContent)('knows the format by content when the name does not tell', async () => {
    const rows = manyRows(9, 6)
    const file = await openVectorFile(folder.file('vectors-without-extension', written(9, 6)))
    expect(file.format).toBe(format)
    expectRows((await readAll(file)).rows, rows)
  })

  it.each([1, 3, 300])('keeps batches of d = %i within 1 MiB and loses no row between them', async (dimensions) => {
    const count = Math.ceil((1.25 * BATCH_BYTES) / (4 * dimensions))
    const values = manyValues(count, dimensions)
    const file = await openVectorFile(folder.file(`long.${extension}`, written(count, dimensions)))
    let row = 0
    let batches = 0
    for await (const batch of file.batches()) {
      expect(batch.dimensions).toBe(dimensions)
      expect(batch.vectors.byteLength).toBeLessThanOrEqual(BATCH_BYTES)
      const expected = values.subarray(row * dimensions, row * dimensions + batch.vectors.length)
      expect(Buffer.compare(bytesOf(expected), bytesOf(batch.vectors))).toBe(0)
      row += batch.vectors.length / dimensions
      batches++
    }
    expect(row).toBe(count)
    expect(batches).toBeGreaterThan(1)
  })

  it('leaves a batch as it is until the next one is asked for', async () => {
    const file = await openVectorFile(folder.file(`stable.${extension}`, written(3000, 200)))
    for await (const { vectors } of file.batches()) {
      const before = Buffer.from(bytesOf(vectors))
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(before.equals(bytesOf(vectors))).toBe(true)
    }
  })

  it('reads the widest vector, d = 65536', async () => {
    const rows = manyRows(7, 65_536)
    const file = await openVectorFile(folder.file(`wide.${extension}`, written(7, 65_536)))
    const read = await readAll(file)
    expectRows(read.rows, rows)
  })

  it('gives the same rows in every pass', async () => {
    const rows = manyRows(20, 4)
    const file = await openVectorFile(folder.file(`twice.${extension}`, written(20, 4)))
    expectRows((await readAll(file)).rows, rows)
    expectRows((await readAll(file)).rows, rows)
  })

  it.skipIf(ownIds)('attaches the lines of an id file as strings', async () => {
    const rows = manyRows(3000, 200)
    const ids = rows.map((_, i) => String(i))
    const idFile = folder.file('ids.txt', ids.join('\n'))
    const file = await openVectorFile(folder.file(`with-ids.${extension}`, written(3000, 200)), { ids: idFile })
    const read = await readAll(file)
    expect(read.ids).toEqual(ids)
    expectRows(read.rows, rows)
  })

  it('refuses passes after close', async () => {
    const file = await openVectorFile(folder.file(`closed.${extension}`, written(2, 2)))
    await file.close()
    await file.close()
    await expect(readAll(file)).rejects.toThrow(PathError)
  })

  describe.runIf(hasProc)('closes its handle', () => {
    const prepare = async (): Promise<{ path: string; file: Awaited<ReturnType<typeof openVectorFile>> }> => {
      const path = folder.file(`handles.${extension}`, written(3000, 200))
      return { path, file: await openVectorFile(path) }
    }

    it('before the first pass', async () => {
      const { path } = await prepare()
      expect(openHandles(path)).toBe(0)
    })

    it('after a whole pass', async () => {
      const { path, file } = await prepare()
      await readAll(file)
      expect(openHandles(path)).toBe(0)
    })

    it('when the consumer breaks out of the loop', async () => {
      const { path, file } = await prepare()
      for await (const _ of file.batches()) {
        expect(openHandles(path)).toBe(1)
        break
      }
      expect(openHandles(path)).toBe(0)
    })

    it('when the consumer throws', async () => {
      const { path, file } = await prepare()
      const failing = async (): Promise<void> => {
        for await (const _ of file.batches()) throw new Error('the consumer failed')
      }
      await expect(failing()).rejects.toThrow('the consumer failed')
      expect(openHandles(path)).toBe(0)
    })

    it('when close() comes in the middle of a pass, which then fails', async () => {
      const { path, file } = await prepare()
      const pass = file.batches()
      await pass.next()
      await file.close()
      expect(openHandles(path)).toBe(0)
      // JSON lines that were read before may still come.
      const drained = async (): Promise<void> => {
        while ((await pass.next()).done !== true);
      }
      await expect(drained()).rejects.toThrow('closed while being read')
    })

    it.skipIf(ownIds)('of the id file too', async () => {
      const rows = manyRows(3000, 200)
      const ids = folder.file('handle-ids.txt', rows.map((_, i) => `${i} ${'x'.repeat(600)}`).join('\n'))
      const path = folder.file(`handle-with-ids.${extension}`, written(3000, 200))
      const file = await openVectorFile(path, { ids })
      expect(openHandles(ids)).toBe(0)
      for await (const _ of file.batches()) {
        expect(openHandles(ids)).toBe(1)
        break
      }
      expect([openHandles(path), openHandles(ids)]).toEqual([0, 0])
      const pass = file.batches()
      await pass.next()
      await file.close()
      expect([openHandles(path), openHandles(ids)]).toEqual([0, 0])
    })
  })
})

function bytesOf(vectors: Float32Array): Buffer {
  return Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength)
}
