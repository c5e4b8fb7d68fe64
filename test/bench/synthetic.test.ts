import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openVectorFile } from '../../src/sources/open-vector-file.js'

interface SyntheticOptions {
  count: number
  dimensions: number
  intrinsic: number
  seed: number
  stream: string
}
interface Matrix {
  dims: number
  count: number
  vectors: Float32Array
}
interface Synthetic {
  syntheticBlocks: (options: SyntheticOptions) => Iterable<Float32Array>
  writeSynthetic: (path: string, options: SyntheticOptions) => void
}
interface VectorFiles {
  readMatrix: (path: string, limit?: number) => Matrix
  writePrefix: (path: string, count: number, target: string) => void
}
interface GroundTruth {
  exactNeighbours: (path: string, queries: Matrix, metric: string, k: number) => Int32Array[]
}

const load = async (file: string): Promise<unknown> => import(new URL(`../../bench/${file}`, import.meta.url).href)
const { syntheticBlocks, writeSynthetic } = (await load('synthetic.mjs')) as Synthetic
const { readMatrix, writePrefix } = (await load('vector-files.mjs')) as VectorFiles
const { exactNeighbours } = (await load('ground-truth.mjs')) as GroundTruth

const options = { count: 700, dimensions: 27, intrinsic: 3, seed: 1, stream: 'base' }
const rowsOf = (given: SyntheticOptions): number[] =>
  Array.from(syntheticBlocks(given), (block) => Array.from(block)).flat()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardloom-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('synthetic vectors', () => {
  it('are the same for a seed, and a longer set begins with a shorter one', () => {
    const rows = rowsOf(options)
    expect(rows).toHaveLength(700 * 27)
    expect(rowsOf(options)).toEqual(rows)
    expect(rowsOf({ ...options, count: 600 })).toEqual(rows.slice(0, 600 * 27))
  })

  it('differ from seed to seed and from stream to stream', () => {
    const rows = rowsOf(options)
    expect(rowsOf({ ...options, seed: 2 })).not.toEqual(rows)
    const queries = rowsOf({ ...options, stream: 'queries' })
    expect(queries.filter((value, i) => value === rows[i]).length).toBeLessThan(10)
  })

  it('fill as many dimensions as are said: neighbours thin out by that power of the distance', () => {
    const low = dimensionAround({ ...options, count: 2000, dimensions: 32, intrinsic: 2 })
    const high = dimensionAround({ ...options, count: 2000, dimensions: 32, intrinsic: 8 })
    expect(low).toBeGreaterThan(1.5)
    expect(low).toBeLessThan(3)
    expect(high).toBeGreaterThan(4.5)
    expect(high).toBeLessThan(10)
  })

  it.each(['fvecs', 'npy'])('are read back from %s, by the bench and by Shardloom', async (format) => {
    const file = path.join(folder, `all.${format}`)
    writeSynthetic(file, options)
    const rows = rowsOf(options)
    expect(Array.from(readMatrix(file).vectors)).toEqual(rows)
    const read: number[] = []
    for await (const { vectors } of (await openVectorFile(file)).batches()) read.push(...vectors)
    expect(read).toEqual(rows)
  })

  it.each(['fvecs', 'npy'])('are cut to a prefix that is a file of fewer vectors, in %s', async (format) => {
    const [whole, part, fewer] = ['whole', 'part', 'fewer'].map((name) => path.join(folder, `${name}.${format}`))
    writeSynthetic(whole, options)
    writePrefix(whole, 123, part)
    writeSynthetic(fewer, { ...options, count: 123 })
    expect((await readFile(part)).equals(await readFile(fewer))).toBe(true)
  })
})

describe('exactNeighbours', () => {
  it.each(['l2', 'cosine', 'ip'])('are the nearest ones under %s, nearest first', (metric) => {
    const file = path.join(folder, `${metric}.fvecs`)
    writeSynthetic(file, options)
    const base = readMatrix(file)
    const queries = {
      dims: 27,
      count: 5,
      vectors: Float32Array.from(rowsOf({ ...options, count: 5, stream: 'queries' })),
    }
    const found = exactNeighbours(file, queries, metric, 10)
    for (let query = 0; query < 5; query++) {
      const distances = Array.from({ length: base.count }, (_, row) => distance(metric, base, row, queries, query))
      const expected = [...distances.keys()].sort((a, b) => distances[a] - distances[b]).slice(0, 10)
      expect(Array.from(found[query])).toEqual(expected)
    }
  })
})

function distance(metric: string, a: Matrix, row: number, b: Matrix, query: number): number {
  const x = a.vectors.subarray(row * a.dims, (row + 1) * a.dims)
  const y = b.vectors.subarray(query * a.dims, (query + 1) * a.dims)
  const dot = x.reduce((sum, value, d) => sum + value * y[d], 0)
  if (metric === 'ip') return -dot
  if (metric === 'cosine') return 1 - dot / (Math.hypot(...x) * Math.hypot(...y))
  return squaredDistance(x, y)
}

function squaredDistance(x: Float32Array, y: Float32Array): number {
  let sum = 0
  for (let d = 0; d < x.length; d++) sum += (x[d] - y[d]) ** 2
  return sum
}

/** Levina and Bickel's estimate from the 20 nearest rows of some rows. */
function dimensionAround(given: SyntheticOptions): number {
  const NEAREST = 20
  const SAMPLES = 30
  const vectors = Float32Array.from(rowsOf(given))
  const rowAt = (row: number): Float32Array => vectors.subarray(row * given.dimensions, (row + 1) * given.dimensions)
  const inverses = Array.from({ length: SAMPLES }, (_, query) => {
    const far = Array.from({ length: given.count }, (_, row) => Math.sqrt(squaredDistance(rowAt(row), rowAt(query))))
    const near = far.sort((a, b) => a - b).slice(1, NEAREST + 1)
    return near.slice(0, -1).reduce((sum, d) => sum + Math.log(near[NEAREST - 1] / d), 0) / (NEAREST - 1)
  })
  return SAMPLES / inverses.reduce((sum, value) => sum + value, 0)
}
