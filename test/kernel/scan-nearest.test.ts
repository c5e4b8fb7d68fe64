import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeBlock } from '../../kernel/block.js'
import { SCAN_NEAREST } from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'
import { randomRows, randomSource } from '../fixtures/random-graph.js'
import { withArena } from '../fixtures/samples.js'
import { runs } from '../whole.js'
import { searchDistanceTwin } from './twins.js'

const METRICS = ['l2', 'cosine', 'ip'] as const
type Metric = (typeof METRICS)[number]

interface Scan {
  readonly metric: Metric
  readonly dimensions: number
  /** Row-major, not padded. */
  readonly rows: Float32Array
  readonly query: Float32Array
  readonly alive: readonly boolean[]
  readonly keeps?: readonly boolean[] | undefined
  readonly k: number
}

interface Hit {
  readonly row: number
  readonly distance: number
}

const UNWRITTEN = 0x55555555
const kernels = [Kernel.create(), Kernel.createShared()]

function bits(values: readonly boolean[]): Uint32Array {
  const words = new Uint32Array(Math.ceil(values.length / 32))
  for (const [at, value] of values.entries()) if (value) words[at >>> 5] |= 1 << (at & 31)
  return words
}

function scan(kernel: Kernel, { metric, dimensions, rows, query, alive, keeps, k }: Scan): Hit[] {
  return withArena(kernel, () => {
    const count = alive.length
    const width = 4 * Math.ceil(dimensions / 4)
    const place = (words: Uint32Array): number => {
      const at = kernel.alloc(4 * words.length)
      kernel.u32(at, words.length).set(words)
      return at
    }
    const rowsAt = kernel.alloc(4 * width * count)
    // What pads a row must not matter.
    kernel.f32(rowsAt, width * count).fill(NaN)
    for (let row = 0; row < count; row++) {
      const from = row * dimensions
      kernel.f32(rowsAt + 4 * width * row, dimensions).set(rows.subarray(from, from + dimensions))
    }
    const best = kernel.alloc(8 * (k + 1))
    kernel.u32(best, 2 * (k + 1)).fill(UNWRITTEN)
    const block = placeBlock(kernel, SCAN_NEAREST, {
      rows: rowsAt,
      stride: 4 * width,
      count,
      dimensions,
      metric: METRICS.indexOf(metric),
      alive: place(bits(alive)),
      keeps: keeps === undefined ? 0 : place(bits(keeps)),
      query: place(new Uint32Array(query.slice().buffer)),
      k,
      best,
      group: kernel.alloc(32),
    })
    const found = kernel.fn.scanNearest(block)
    expect([...kernel.u32(best + 8 * found, 2 * (k + 1 - found))]).toEqual(Array(2 * (k + 1 - found)).fill(UNWRITTEN))
    const [words, floats] = [kernel.u32(best, 2 * found), kernel.f32(best, 2 * found)]
    return Array.from({ length: found }, (_, i) => ({ row: words[2 * i], distance: floats[2 * i + 1] }))
  })
}

function twin({ metric, dimensions, rows, query, alive, keeps, k }: Scan): Hit[] {
  return alive
    .flatMap((one, row): Hit[] => {
      if (!one || keeps?.[row] === false) return []
      const distance = searchDistanceTwin(metric, query, rows.subarray(row * dimensions, (row + 1) * dimensions))
      return [{ row, distance: Number.isNaN(distance) ? Infinity : distance }]
    })
    .sort((a, b) => (a.distance === b.distance ? a.row - b.row : a.distance - b.distance))
    .slice(0, k)
}

const wish = fc.record({
  seed: fc.nat(),
  metric: fc.constantFrom(...METRICS),
  // Beyond 128 dimensions rows can be rejected before their distance is complete.
  dimensions: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 125, max: 270 })),
  count: fc.integer({ min: 0, max: 300 }),
  values: fc.constantFrom('integers' as const, 'reals' as const),
  k: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 320 })),
  living: fc.constantFrom(0, 0.02, 0.5, 0.97, 1),
  kept: fc.constantFrom(undefined, 0, 0.3, 1),
})

describe('scanNearest', () => {
  it('finds what its twin finds, to the bit and in its order, in private and in shared memory', () => {
    fc.assert(
      fc.property(wish, ({ seed, count, dimensions, values, living, kept, ...rest }) => {
        const random = randomSource(seed)
        const rows = randomRows(random, count, dimensions, values)
        const query = randomRows(random, 1, dimensions, values)
        const choose = (share: number): boolean[] => Array.from({ length: count }, () => random() < share)
        const keeps = kept === undefined ? undefined : choose(kept)
        const one = { ...rest, dimensions, rows, query, alive: choose(living), keeps }
        const expected = twin(one)
        for (const kernel of kernels) expect(scan(kernel, one)).toEqual(expected)
      }),
      { numRuns: runs(600) },
    )
  })

  const numbers = (values: readonly number[], query: number, k: number): Hit[] =>
    scan(kernels[0], {
      metric: 'l2',
      dimensions: 1,
      rows: Float32Array.from(values),
      query: Float32Array.of(query),
      alive: values.map(() => true),
      k,
    })

  it('gives the lower rows of those at one distance', () => {
    const values = Array.from({ length: 100 }, (_, row) => (row % 3 === 0 ? 1 : 9))
    expect(numbers(values, 0, 5).map(({ row }) => row)).toEqual([0, 3, 6, 9, 12])
    expect(numbers(Array<number>(50).fill(2), 0, 50).map(({ row }) => row)).toEqual([...Array(50).keys()])
  })

  it('has distances that are no numbers among the infinite ones, by row', () => {
    // Infinity - Infinity is NaN.
    expect(numbers([Infinity, 5, Infinity, 7], Infinity, 3)).toEqual([
      { row: 0, distance: Infinity },
      { row: 1, distance: Infinity },
      { row: 2, distance: Infinity },
    ])
  })

  it('sorts as many as there are, whatever the order they come in', () => {
    const ascending = Array.from({ length: 1000 }, (_, row) => row)
    expect(numbers(ascending, 0, 1000).map(({ row }) => row)).toEqual(ascending)
    expect(numbers(ascending.toReversed(), 0, 1000).map(({ row }) => row)).toEqual(ascending.toReversed())
    expect(numbers(ascending.toReversed(), 0, 7).map(({ distance }) => distance)).toEqual([0, 1, 4, 9, 16, 25, 36])
  })
})
