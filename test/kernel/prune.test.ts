import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { FLAVOURS, f32Rows, i16Rows, place, placePointers, withArena } from '../fixtures/samples.js'
import { gatherL2Twin, l2IntegerTwin, pruneTwin } from './twins.js'

const kernel = Kernel.create()
const UNWRITTEN = 0x55555555

const cases = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  flavour: fc.constantFrom(...FLAVOURS),
  count: fc.integer({ min: 0, max: 40 }),
  gridDims: fc.integer({ min: 1, max: 9 }).map((eights) => eights * 8),
  maxDegree: fc.integer({ min: 0, max: 20 }),
  alpha: fc.constantFrom(1, 1.2, 1.5, 0.5),
})

/** Candidates nearest first, as the rule requires. */
function sorted<Row>(rows: readonly Row[], distance: (row: Row) => number): Row[] {
  return [...rows].sort((a, b) => distance(a) - distance(b))
}

function prune(
  rows: readonly (Int16Array | Float32Array)[],
  distances: readonly number[],
  gridDims: number,
  maxDegree: number,
  alpha: number,
): number[] {
  return withArena(kernel, () => {
    const integer = rows.length === 0 || rows[0] instanceof Int16Array
    const at = place(kernel, rows)
    const rowBytes = gridDims * (integer ? 2 : 4)
    const list = placePointers(
      kernel,
      rows.map((_, i) => at + i * rowBytes),
    )
    const distanceList = kernel.alloc(distances.length * 4)
    if (integer) kernel.i32(distanceList, distances.length).set(distances)
    else kernel.f32(distanceList, distances.length).set(distances)
    const kept = kernel.alloc((2 * rows.length + 1) * 4)
    kernel.u32(kept, 2 * rows.length + 1).fill(UNWRITTEN)
    const name = integer ? 'pruneI16' : 'pruneF32'
    const size = kernel.fn[name](list, distanceList, rows.length, gridDims, maxDegree, alpha, kept)
    expect(kernel.u32(kept, 2 * rows.length + 1)[2 * rows.length]).toBe(UNWRITTEN)
    return Array.from(kernel.u32(kept, size))
  })
}

describe('prune', () => {
  it('keeps what the rule keeps, i16', () => {
    fc.assert(
      fc.property(cases, ({ seed, flavour, count, gridDims, maxDegree, alpha }) => {
        const [member, ...others] = i16Rows(seed, flavour, count + 1, gridDims)
        const rows = sorted(others, (row) => l2IntegerTwin(member, row))
        const distances = rows.map((row) => l2IntegerTwin(member, row))
        const expected = pruneTwin(rows, distances, maxDegree, alpha, l2IntegerTwin)
        expect(prune(rows, distances, gridDims, maxDegree, alpha)).toEqual(expected)
      }),
    )
  })

  it('keeps what the rule keeps, f32', () => {
    fc.assert(
      fc.property(cases, ({ seed, flavour, count, gridDims, maxDegree, alpha }) => {
        const [member, ...others] = f32Rows(seed, flavour, count + 1, gridDims)
        const rows = sorted(others, (row) => gatherL2Twin(member, row))
        const distances = rows.map((row) => gatherL2Twin(member, row))
        const expected = pruneTwin(rows, distances, maxDegree, alpha, gatherL2Twin)
        expect(prune(rows, distances, gridDims, maxDegree, alpha)).toEqual(expected)
      }),
    )
  })

  it('keeps both of two candidates at exactly the limit', () => {
    // d(c, q) = d(c, member) = 100 and alpha 1: not smaller, so nothing is occluded. At 99, c is.
    const q = Int16Array.of(10, 0, 0, 0, 0, 0, 0, 0)
    const c = Int16Array.of(0, 0, 0, 0, 0, 0, 0, 0)
    expect(prune([q, c], [100, 100], 8, 8, 1)).toEqual([0, 1])
    expect(prune([q, c], [100, 101], 8, 8, 1)).toEqual([0])
  })

  it('keeps all of a long list of far-apart candidates', () => {
    // Each on a separate axis; a wrong norm would occlude at these distances.
    const gridDims = 600
    const rows = Array.from({ length: 600 }, (_, i) => new Int16Array(gridDims).fill(1000 + i, i, i + 1))
    const distances = rows.map((_, i) => 1.5 * (1000 + i) ** 2)
    const expected = pruneTwin(rows, distances, 600, 1.2, l2IntegerTwin)
    expect(expected.length).toBe(600)
    expect(prune(rows, distances, gridDims, 600, 1.2)).toEqual(expected)
    // The same list with a copy of each row: only exact norms rule the copies out.
    const doubled = rows.flatMap((row) => [row, row])
    const twice = distances.flatMap((distance) => [distance, distance])
    expect(prune(doubled, twice, gridDims, 600, 1.2)).toEqual(expected.map((i) => i * 2))
  })
})
