/** The caller's ids, on their way in and out. */
import { describe, expect, it } from 'vitest'
import { readManifest, type BuildOptions, type Id, type VectorRecord } from '../../dist/src/index.js'
import { batches, build, contentsOf, randomRows, records, rowOf, withIndex, type Rows } from '../fixtures/builds.js'

const rows = randomRows(1200, 12, 1)

async function idsFoundBy(
  source: Iterable<VectorRecord>,
  searched: Rows,
  options: Partial<BuildOptions> = {},
): Promise<Id[]> {
  const { path } = await build(source, options)
  return withIndex(path, (index) =>
    Array.from({ length: searched.count }, (_, row) => {
      const [hit] = index.search(rowOf(searched, row), { k: 1 })
      expect(hit.distance).toBe(0)
      return hit.id
    }),
  )
}

describe('a vector is found under the id it was given', () => {
  it.each<[string, (row: number) => Id]>([
    ['strings of all scripts and lengths', (row) => ['', 'ä', '日本', '🎈', 'x'.repeat(3000)][row % 5] + String(row)],
    // 15 MB, more than is put in order at once; a few take most of it.
    ['long strings', (row) => `${row} `.padEnd(row % 100 === 7 ? 400_000 : 9000, 'äx')],
    ['integers, small, large and negative', (row) => (row % 2 === 0 ? row * 7_000_000_001 : -row)],
    ['a mix, where 7 and "7" are two', (row) => (row % 2 === 0 ? row : String(row - 1))],
  ])('%s', async (_, idOf) => {
    expect(await idsFoundBy(records(rows, idOf), rows)).toEqual(
      Array.from({ length: rows.count }, (_, row) => idOf(row)),
    )
  })

  it('an id of more than a MiB is refused, with its size', async () => {
    const source = records(rows, (row) => (row === 900 ? 'x'.repeat(2 ** 20) : row))
    await expect(build(source)).rejects.toThrow(
      'the id of vector 900 takes 1048577 bytes, and an id may take 1048576; store long texts elsewhere',
    )
  })

  it('its ordinal, when none is given', async () => {
    expect(await idsFoundBy(records(rows), rows)).toEqual(Array.from({ length: rows.count }, (_, row) => row))
  })

  it('its ordinal in the stream, where vectors before it were skipped', async () => {
    const stream = [...records(rows)].map((record, i) =>
      i % 4 === 0 ? { vector: new Float32Array(rows.dimensions).fill(Number.NaN) } : record,
    )
    const { path, report } = await build(stream, { invalid: 'skip' })
    expect(report).toMatchObject({ count: 900, skipped: 300, skippedInvalid: 300, skippedDuplicates: 0 })
    expect(report.events.filter(({ kind }) => kind === 'skipped-invalid')).toHaveLength(10)
    await withIndex(path, (index) => {
      for (let row = 1; row < rows.count; row += 4) expect(index.search(rowOf(rows, row), { k: 1 })[0].id).toBe(row)
    })
  })
})

describe('an id twice', () => {
  const idOf = (row: number): string => `id-${row % 1000}`

  it.each([
    ['first', 0],
    ['last', 1000],
  ] as const)('keeps the %s vector', async (duplicates, winner) => {
    const { path, report } = await build(records(rows, idOf), { duplicates })
    expect(report).toMatchObject({ count: 1000, skipped: 200, skippedInvalid: 0, skippedDuplicates: 200 })
    expect(report.events.map(({ kind }) => kind)).toContain('duplicate-ids')
    // The ids that went are not stored: id-0 to id-999, a tag and an offset each.
    const { manifest } = await readManifest(path)
    const dataBytes = 4 * 1001 + 10 * 5 + 90 * 6 + 900 * 7
    const stored = manifest.segments.filter(({ kind }) => kind === 'ids').map(({ bytes }) => bytes)
    expect(stored).toEqual([4096 + dataBytes + 4 + 4])
    await withIndex(path, (index) => {
      for (const row of [0, 50, 199]) {
        expect(index.search(rowOf(rows, winner + row), { k: 1 })[0]).toEqual({ id: `id-${row}`, distance: 0 })
        expect(index.search(rowOf(rows, 1000 - winner + row), { k: 1 })[0].distance).toBeGreaterThan(0)
      }
      expect(index.search(rowOf(rows, 500), { k: 1 })[0].id).toBe('id-500')
    })
  })

  it('as a bigint, as a number and as digits is one id', async () => {
    const large = 2n ** 53n + 1n
    const stream = [{ id: 7n, vector: [1, 0] }, { id: 7, vector: [2, 0] }, { id: large, vector: [3, 0] }, { id: `${large}`, vector: [4, 0] }, { id: large + 1n, vector: [5, 0] }] // prettier-ignore
    const { path, report } = await build(stream, { duplicates: 'last' })
    expect(report).toMatchObject({ count: 3, skippedDuplicates: 2 })
    await withIndex(path, (index) => {
      const hits = index.search([0, 0], { k: 3 }).map(({ id }) => id)
      expect(hits).toEqual([7, '9007199254740993', '9007199254740994'])
      expect(index.get(large)?.vector).toEqual(Float32Array.of(4, 0))
    })
  })

  it('of a batch may be 64-bit integers of DuckDB or Arrow', async () => {
    const ids = BigInt64Array.of(-5n, 2n ** 62n)
    const { path } = await build([{ ids, vectors: Float32Array.of(1, 1, 2, 2), dimensions: 2 }])
    await withIndex(path, (index) => {
      expect(index.search([0, 0]).map(({ id }) => id)).toEqual([-5, '4611686018427387904'])
    })
  })

  it('does not count against a vector that is skipped as invalid', async () => {
    const stream = [{ id: 'a', vector: [Number.NaN, 1] }, { id: 'a', vector: [1, 1] }, { id: 'b', vector: [2, 2] }] // prettier-ignore
    const { report } = await build(stream, { invalid: 'skip' })
    expect(report).toMatchObject({ count: 2, skippedInvalid: 1, skippedDuplicates: 0 })
  })
})

it('records and batches, numbers of any kind, sync and async: all the same index', async () => {
  const rows8 = randomRows(300, 8, 2)
  for (let i = 0; i < rows8.values.length; i++) rows8.values[i] = Math.floor(rows8.values[i] * 50)
  const one = await build(records(rows8))
  const sources: Record<string, Parameters<typeof build>[0]> = {
    arrays: Array.from({ length: rows8.count }, (_, row) => ({ vector: Array.from(rowOf(rows8, row)) })),
    doubles: Array.from({ length: rows8.count }, (_, row) => ({ vector: Float64Array.from(rowOf(rows8, row)) })),
    bytes: Array.from({ length: rows8.count }, (_, row) => ({ vector: Int8Array.from(rowOf(rows8, row)) })),
    text: Array.from({ length: rows8.count }, (_, row) => ({ vector: `[${rowOf(rows8, row).join(',')}]` })),
    batches: batches(rows8),
    'empty batches between': [
      { vectors: new Float32Array(0), dimensions: 8 },
      ...batches(rows8),
      { vectors: new Float32Array(0), dimensions: 8 },
    ],
    'a web stream': ReadableStream.from(records(rows8)),
    'an async generator that reuses its buffer': (async function* () {
      const vectors = new Float32Array(8)
      for (let row = 0; row < rows8.count; row++) {
        vectors.set(rowOf(rows8, row))
        yield { vectors, dimensions: 8 }
      }
    })(),
  }
  const segments = (path: string): [string, string][] =>
    Object.entries(contentsOf(path)).filter(([name]) => name.endsWith('.seg'))
  for (const [name, source] of Object.entries(sources)) {
    const other = await build(source)
    expect(segments(other.path), name).toEqual(segments(one.path))
  }
})
