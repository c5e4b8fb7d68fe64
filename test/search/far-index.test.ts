/** Indexes that are larger than a kernel memory is allowed to be, opened from their files. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quantizedShape } from '../../src/format/graph/quantized-shape.js'
import type { OpenOptions, SearchHit } from '../../src/api/search.js'
import type { GivenId } from '../../src/api/vectors.js'
import { InsufficientMemoryError } from '../../src/errors.js'
import { farFixedBytes } from '../../src/search/core/far/far-context.js'
import { pageShape } from '../../src/search/core/page-table.js'
import { planMemory, type MemoryLimits } from '../../src/search/core/plan-memory.js'
import { allRowBytes, farMemories, strideBytesOf } from '../../src/search/core/row-layout.js'
import { openGeneration, type OpenGeneration } from '../../src/search/open-generation.js'
import { searchOne } from '../../src/search/search-one.js'
import { randomGraph, randomRows, randomSource } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { runs } from '../whole.js'

const graph = randomGraph({ seed: 3, metric: 'l2', count: 2500, dimensions: 48, m: 4, levels: 2, values: 'reals' })
const queries = Array.from({ length: 20 }, (_, i) => randomRows(randomSource(i), 1, graph.dimensions, 'reals'))
/** Vectors are 480 kB, links 90 kB: three memories of vectors, or two for the part of them that there is room for. */
const LIMITS: MemoryLimits = { nearLimitBytes: 250_000, farLimitBytes: 280_000 }
const ASKED = { k: 10, ef: 64, rerank: undefined, filter: undefined }

let root: string
let expected: SearchHit<GivenId>[][]
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-far-'))
  await writeIndex(root, graph)
  const open = await openGeneration(root, { preload: true })
  expected = hitsOf(open)
  await open.close()
})
afterAll(() => rm(root, { recursive: true, force: true }))

function hitsOf(open: OpenGeneration): SearchHit<GivenId>[][] {
  return queries.map((query) => searchOne(open, query, 0, ASKED))
}

async function opened(
  options: OpenOptions,
  memories: number,
  use: (open: OpenGeneration) => Promise<void> | void,
): Promise<void> {
  const open = await openGeneration(root, options, LIMITS)
  try {
    expect(open.core.memory.rows.far.map(({ kernels }) => kernels.length)).toEqual([memories])
    await use(open)
  } finally {
    await open.close()
  }
}

describe('an index larger than one memory', () => {
  it.each<[string, OpenOptions, number]>([
    ['read ahead', { memory: '2MB', preload: true }, 3],
    ['read on demand', { memory: '2MB' }, 3],
    ['with less memory than it has bytes', { memory: '600kB' }, 2],
  ])('gives the hits of one memory: %s', async (_, options, memories) => {
    await opened(options, memories, (open) => {
      expect(hitsOf(open)).toEqual(expected)
      expect(open.core.memory.complete).toBe(options.preload === true)
      expect(open.core.vectorOf(1999)).toEqual(graph.vectors.slice(1999 * 48, 2000 * 48))
    })
  })

  it('is refused for reading ahead when the memory given does not hold all of it', async () => {
    const refused = openGeneration(root, { memory: '600kB', preload: true }, LIMITS)
    await expect(refused).rejects.toThrow(InsufficientMemoryError)
    await expect(refused).rejects.toThrow('raise memory')
  })

  it('has no page in use that fails its checksum', async () => {
    const other = await mkdtemp(join(tmpdir(), 'shardloom-far-'))
    try {
      const { directory } = await writeIndex(other, graph)
      for (const name of (await readdir(directory)).filter((one) => one.startsWith('vectors'))) {
        const bytes = await readFile(join(directory, name))
        bytes[bytes.length >> 1] ^= 1
        await writeFile(join(directory, name), bytes)
      }
      const open = await openGeneration(other, { memory: '2MB' }, LIMITS)
      expect(() => queries.map((query) => searchOne(open, query, 0, { ...ASKED, ef: 2500 }))).toThrow("the block's CRC")
      await open.close()
      await expect(openGeneration(other, { memory: '2MB', preload: true }, LIMITS)).rejects.toThrow("the block's CRC")
    } finally {
      await rm(other, { recursive: true, force: true })
    }
  })
})

describe('planMemory', () => {
  const MB = 1e6
  it('keeps within the budget and every memory within its limit, and holds all when there is room', () => {
    const shapes = fc.record({
      count: fc.integer({ min: 1000, max: 400_000 }),
      dimensions: fc.integer({ min: 16, max: 1000 }),
      m: fc.constantFrom(8, 16),
      quantization: fc.constantFrom(undefined, 'sq8' as const, 'f16' as const),
    })
    fc.assert(
      fc.property(shapes, fc.integer({ min: 150, max: 2000 }), ({ quantization, ...given }, budgetMB) => {
        const codes = quantization && quantizedShape(quantization, given.dimensions)
        const shape = { ...given, codes }
        const limits = { nearLimitBytes: 100 * MB, farLimitBytes: 60 * MB }
        const files = { upperBytes: 4 * given.count, idsBytes: 8 * given.count, fieldsBytes: 40 * given.count }
        const budgetBytes = budgetMB * MB
        const wish = { budgetBytes, preload: false, threads: 1 }
        const { layout, kernelBytes, idsBytes, fieldsBytes, pageBytes } = planMemory(shape, files, wish, limits)
        const strides = strideBytesOf(shape)
        const farFixed = farFixedBytes(shape, 1)
        let farBytes = 0
        for (const kind of ['vectors', 'codes'] as const) {
          const far = layout.far[kind]
          if (far === undefined) continue
          const parts = Math.ceil(shape.count / far.partNodes)
          const held = Math.min(parts * far.pageBytes, shape.count * strides[kind])
          farBytes +=
            held + parts * farFixed + 5 * pageShape({ count: shape.count, strideBytes: strides[kind] }, 0).pageCount
          expect(far.pageBytes + farFixed).toBeLessThanOrEqual(limits.farLimitBytes)
          if (pageBytes === allRowBytes(shape)) expect(held).toBe(shape.count * strides[kind])
        }
        expect(kernelBytes).toBeLessThanOrEqual(limits.nearLimitBytes)
        // A few pages more than their share, where a kind has the least that a search needs.
        expect(fieldsBytes).toBeLessThanOrEqual(files.fieldsBytes)
        if (pageBytes === allRowBytes(shape)) expect(fieldsBytes).toBe(files.fieldsBytes)
        expect(kernelBytes + farBytes + idsBytes + fieldsBytes).toBeLessThanOrEqual(budgetBytes + MB)
        expect(farMemories(shape, layout)).toBeLessThan(100)
      }),
      { numRuns: runs(300) },
    )
  })
})
