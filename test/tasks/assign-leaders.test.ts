import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { GridSpec } from '../../src/rows/grid-spec.js'
import { assignLeaders } from '../../src/tasks/route/assign-leaders.js'
import { cellsOf, withCells } from '../../src/tasks/route/leader-cells.js'
import type { Leaders } from '../../src/tasks/route/leaders.js'
import { gridOps } from '../../src/rows/grid-ops.js'
import { randomNumbers, shared, squaredL2 } from '../fixtures/tasks.js'
import { twoLevelsTwin } from './two-levels-twin.js'

const kernel = Kernel.create()

function specFor(kind: 'i16' | 'f32', gridDims: number): GridSpec {
  return { kind, gridDims, dimensions: gridDims, mean: new Float32Array(gridDims), scale: 1, radiusSquared: -1 }
}

/** Whole numbers, so that f32 is as exact as i16. */
function wholeRows(count: number, gridDims: number, seed: number, range = 200): number[] {
  const random = randomNumbers(seed)
  return Array.from({ length: count * gridDims }, () => Math.round((random() - 0.5) * range))
}

function leadersOf(spec: GridSpec, values: readonly number[], handicaps?: readonly number[]): Leaders {
  const words = spec.kind === 'i16' ? Int16Array.from(values) : Float32Array.from(values)
  const codes = shared(words.byteLength)
  codes.set(new Uint8Array(words.buffer))
  const count = values.length / spec.gridDims
  return { codes, handicaps: Float64Array.from(handicaps ?? new Array<number>(count).fill(0)), count }
}

function assign(spec: GridSpec, rows: readonly number[], leaders: Leaders, fanOut: number): Uint32Array {
  const mark = kernel.mark()
  const codes = kernel.alloc(rows.length * (spec.kind === 'i16' ? 2 : 4))
  if (spec.kind === 'i16') kernel.i16(codes, rows.length).set(rows)
  else kernel.f32(codes, rows.length).set(rows)
  const count = rows.length / spec.gridDims
  const nearest = kernel.alloc(4 * count * fanOut)
  assignLeaders(kernel, gridOps(kernel, spec), { codes, count }, leaders, fanOut, nearest)
  const found = kernel.u32(nearest, count * fanOut).slice()
  kernel.release(mark)
  return found
}

function nearestTwin(
  rows: readonly number[],
  row: number,
  leaderRows: readonly number[],
  dims: number,
  k: number,
  handicaps?: readonly number[],
): number[] {
  const count = leaderRows.length / dims
  const all = [...rows.slice(row * dims, (row + 1) * dims), ...leaderRows]
  const distances = Array.from(
    { length: count },
    (_, leader) => squaredL2(all, dims, 0, leader + 1) + (handicaps?.[leader] ?? 0),
  )
  return distances
    .map((_, leader) => leader)
    .sort((a, b) => distances[a] - distances[b] || a - b)
    .slice(0, k)
}

describe('assignLeaders with cells', () => {
  it.each(['i16', 'f32'] as const)('finds what the plain search in two levels finds (%s)', (kind) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom(8, 24),
        fc.integer({ min: 1, max: 18 }),
        fc.integer(),
        // Few values make ties between leaders and between cells, and empty cells.
        fc.constantFrom(1, 3, 200),
        fc.constantFrom(0, 5, 20_000),
        (rowCount, leaderCount, dims, fanOut, seed, range, handicap) => {
          const spec = specFor(kind, dims)
          const rows = wholeRows(rowCount, dims, seed, range)
          const leaderRows = wholeRows(leaderCount, dims, seed + 1, range)
          const random = randomNumbers(seed + 2)
          const handicaps = Array.from({ length: leaderCount }, () => Math.round(random() * handicap))
          const leaders = leadersOf(spec, leaderRows, handicaps)
          const cells = cellsOf(kernel, gridOps(kernel, spec), leaders)
          const found = assign(spec, rows, { ...leaders, cells }, fanOut)
          expect(Array.from(found)).toEqual(twoLevelsTwin({ rows, leaderRows, handicaps, dims, fanOut }))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('compares a cell of any size slice by slice', () => {
    const spec = specFor('i16', 8)
    const [rows, leaderRows] = [wholeRows(50, 8, 1), new Array<number>(8 * 2100).fill(7)]
    const random = randomNumbers(2)
    const handicaps = Array.from({ length: 2100 }, () => Math.round(random() * 5e6))
    const leaders = withCells(kernel, gridOps(kernel, spec), leadersOf(spec, leaderRows, handicaps))
    expect(Array.from(assign(spec, rows, leaders, 8))).toEqual(
      twoLevelsTwin({ rows, leaderRows, handicaps, dims: 8, fanOut: 8 }),
    )
  })
})

describe('assignLeaders, flat', () => {
  it.each(['i16', 'f32'] as const)('finds the nearest leaders as brute force does, ties by number (%s)', (kind) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(8, 16, 40),
        fc.integer({ min: 1, max: 4 }),
        fc.integer(),
        fc.constantFrom(3, 200),
        (rowCount, leaderCount, dims, wanted, seed, range) => {
          const fanOut = Math.min(wanted, leaderCount)
          const spec = specFor(kind, dims)
          const rows = wholeRows(rowCount, dims, seed, range)
          const leaderRows = wholeRows(leaderCount, dims, seed + 1, range)
          const found = assign(spec, rows, leadersOf(spec, leaderRows), fanOut)
          for (let row = 0; row < rowCount; row++) {
            expect(Array.from(found.subarray(row * fanOut, (row + 1) * fanOut))).toEqual(
              nearestTwin(rows, row, leaderRows, dims, fanOut),
            )
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  it.each(['i16', 'f32'] as const)('adds each leader’s handicap to its distances (%s)', (kind) => {
    const dims = 8
    const spec = specFor(kind, dims)
    const rows = wholeRows(500, dims, 1)
    const leaderRows = wholeRows(20, dims, 2)
    const random = randomNumbers(3)
    const handicaps = Array.from({ length: 20 }, () => Math.round(random() * 20_000))
    const found = assign(spec, rows, leadersOf(spec, leaderRows, handicaps), 2)
    let changed = 0
    for (let row = 0; row < 500; row++) {
      const expected = nearestTwin(rows, row, leaderRows, dims, 2, handicaps)
      expect(Array.from(found.subarray(row * 2, row * 2 + 2))).toEqual(expected)
      if (expected[0] !== nearestTwin(rows, row, leaderRows, dims, 1)[0]) changed++
    }
    expect(changed).toBeGreaterThan(50)
  })
})

describe('assignLeaders with more than 1,000 leaders', () => {
  const dims = 16
  const leaderCount = 2000
  const rowCount = 1000
  // Clustered, as vectors are: leaders are rows of the same data.
  const centres = wholeRows(60, dims, 4, 600)
  const near = (seed: number, count: number): number[] => {
    const random = randomNumbers(seed)
    return Array.from({ length: count }, () => Math.floor(random() * 60)).flatMap((centre) =>
      Array.from({ length: dims }, (_, d) => centres[centre * dims + d] + Math.round((random() - 0.5) * 120)),
    )
  }
  const rows = near(5, rowCount)
  const leaderRows = near(6, leaderCount)

  const inCells = (spec: GridSpec, values: readonly number[]): Leaders =>
    withCells(kernel, gridOps(kernel, spec), leadersOf(spec, values))

  it.each(['i16', 'f32'] as const)('nearly always finds the true nearest leader, and different ones (%s)', (kind) => {
    const spec = specFor(kind, dims)
    const found = assign(spec, rows, inCells(spec, leaderRows), 2)
    let hits = 0
    for (let row = 0; row < rowCount; row++) {
      expect(found[2 * row]).toBeLessThan(leaderCount)
      expect(found[2 * row + 1]).toBeLessThan(leaderCount)
      expect(found[2 * row + 1]).not.toBe(found[2 * row])
      if (found[2 * row] === nearestTwin(rows, row, leaderRows, dims, 1)[0]) hits++
    }
    expect(hits / rowCount).toBeGreaterThan(0.97)
  })

  it('assigns a row alone: its leaders do not depend on the rows beside it', () => {
    const spec = specFor('i16', dims)
    const leaders = inCells(spec, leaderRows)
    const together = assign(spec, rows.slice(0, 300 * dims), leaders, 2)
    for (const [from, to] of [
      [0, 1],
      [17, 150],
      [150, 300],
    ]) {
      expect(Array.from(assign(spec, rows.slice(from * dims, to * dims), leaders, 2))).toEqual(
        Array.from(together.subarray(2 * from, 2 * to)),
      )
    }
  })

  it('gives a row some leader even when all leaders are one spot', () => {
    const spec = specFor('i16', 8)
    const found = assign(spec, wholeRows(50, 8, 1), inCells(spec, new Array<number>(8 * 1200).fill(7)), 3)
    for (const leader of found) expect(leader).toBeLessThan(1200)
  })

  it('leaves the kernel’s arena as it was', () => {
    const before = kernel.usedBytes
    const spec = specFor('i16', dims)
    assign(spec, rows.slice(0, 10 * dims), inCells(spec, leaderRows), 2)
    expect(kernel.usedBytes).toBe(before)
  })
})
