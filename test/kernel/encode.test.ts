import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeBlock } from '../../kernel/block.js'
import { GRID_ENCODER } from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'
import { FLAVOURS, MAX_SQUARED_NORM, f32Rows, place, withArena } from '../fixtures/samples.js'
import { encodeF32Twin, encodeI16Twin, l2IntegerTwin, normaliseTwin, squaredNormTwin } from './twins.js'

const kernel = Kernel.create()
const seeds = fc.integer({ min: 0, max: 1e6 })
const flavours = fc.constantFrom(...FLAVOURS)
const counts = fc.integer({ min: 0, max: 5 })
const anyDimensions = fc.integer({ min: 1, max: 40 })
const radii = fc.constantFrom(-1, 0, 3, 1000)

function gridDimsFor(dimensions: number, radiusSquared: number): number {
  return Math.ceil((dimensions + (radiusSquared < 0 ? 0 : 1)) / 8) * 8
}

/** gridDims long; its values in the padding must not matter. */
function meanOf(seed: number, gridDims: number): Float32Array {
  return f32Rows(seed + 17, 'random', 1, gridDims)[0].map((x) => x * 0.1)
}

function prepare(
  rows: readonly Float32Array[],
  dimensions: number,
  normalise: boolean,
): { rows: Float32Array[]; norms: number[] } {
  return withArena(kernel, () => {
    const at = place(kernel, rows)
    const norms = kernel.alloc(rows.length * 8)
    kernel.fn.prepareRows(at, rows.length, dimensions, normalise ? 1 : 0, norms)
    return {
      rows: rows.map((_, i) => kernel.f32(at + i * dimensions * 4, dimensions).slice()),
      norms: Array.from(kernel.f64(norms, rows.length)),
    }
  })
}

function encodeI16(
  rows: readonly Float32Array[],
  dimensions: number,
  options: { mean: Float32Array; scale: number; maxSquaredNorm: number; radiusSquared: number; gridDims: number },
): { grid: Int16Array[]; clamped: number } {
  const { mean, scale, maxSquaredNorm, radiusSquared, gridDims } = options
  return withArena(kernel, () => {
    const at = place(kernel, rows)
    const meanAt = place(kernel, [mean])
    const out = kernel.alloc(rows.length * gridDims * 2)
    kernel.i16(out, rows.length * gridDims).fill(-1)
    const values = { scale, maxSquaredNorm, radiusSquared, mean: meanAt, dimensions, gridDims }
    const clamped = kernel.fn.encodeI16(placeBlock(kernel, GRID_ENCODER, values), at, rows.length, out)
    return { grid: rows.map((_, i) => kernel.i16(out + i * gridDims * 2, gridDims).slice()), clamped }
  })
}

describe('prepareRows', () => {
  it('gives the squared norms and leaves the rows alone', () => {
    fc.assert(
      fc.property(seeds, flavours, counts, anyDimensions, (seed, flavour, count, dimensions) => {
        const rows = f32Rows(seed, flavour, count, dimensions)
        expect(prepare(rows, dimensions, false)).toEqual({ rows, norms: rows.map(squaredNormTwin) })
      }),
    )
  })

  it('scales rows to unit length in place, zero rows excepted', () => {
    fc.assert(
      fc.property(seeds, flavours, counts, anyDimensions, (seed, flavour, count, dimensions) => {
        const rows = f32Rows(seed, flavour, count, dimensions)
        expect(prepare(rows, dimensions, true)).toEqual({
          rows: rows.map(normaliseTwin),
          norms: rows.map(squaredNormTwin),
        })
      }),
    )
  })

  it('lets NaN and infinity through to the norm, and only to that row', () => {
    for (let place = 0; place < 7; place++) {
      const rows = f32Rows(5, 'random', 3, 7)
      rows[0][place] = NaN
      rows[1][place] = -Infinity
      const got = prepare(rows, 7, true)
      expect(got.norms).toEqual([NaN, Infinity, squaredNormTwin(rows[2])])
      expect(got.rows).toEqual([rows[0], rows[1], normaliseTwin(rows[2])])
    }
  })

  it('normalises rows whose squared norm f32 cannot hold', () => {
    const rows = [Float32Array.of(3e30, 4e30), Float32Array.of(3e-30, 4e-30)]
    for (const row of prepare(rows, 2, true).rows) {
      expect(row[0]).toBeCloseTo(0.6, 6)
      expect(row[1]).toBeCloseTo(0.8, 6)
    }
  })
})

describe('encodeI16', () => {
  it('equals its twin, with and without the added component', () => {
    fc.assert(
      fc.property(seeds, counts, anyDimensions, radii, (seed, count, dimensions, radiusSquared) => {
        const gridDims = gridDimsFor(dimensions, radiusSquared)
        // Coarse values and a scale that is a power of two put many products exactly on a half.
        const rows = f32Rows(seed, 'random', count, dimensions).map((row) => row.map((x) => Math.round(x * 64) / 64))
        const mean = meanOf(seed, gridDims).map((x) => Math.round(x * 8) / 8)
        for (const scale of [32, 333.3]) {
          const options = { mean, scale, maxSquaredNorm: MAX_SQUARED_NORM, radiusSquared, gridDims }
          const twins = rows.map((row) => encodeI16Twin(row, options))
          expect(encodeI16(rows, dimensions, options)).toEqual({ grid: twins.map((twin) => twin.row), clamped: 0 })
        }
      }),
    )
  })

  it('scales rows beyond the limit down to it, and counts them', () => {
    fc.assert(
      fc.property(seeds, counts, anyDimensions, radii, (seed, count, dimensions, radiusSquared) => {
        const gridDims = gridDimsFor(dimensions, radiusSquared)
        // As above, many products on a half; every other row is near or beyond the limit.
        const rows = f32Rows(seed, 'random', count, dimensions).map((row, i) =>
          row.map((x) => Math.round(x * (i % 2 === 0 ? 640 : 1)) / 64),
        )
        const mean = meanOf(seed, gridDims).map((x) => Math.round(x * 8) / 8)
        const maxSquaredNorm = 2e4
        const options = { mean, scale: 32, maxSquaredNorm, radiusSquared, gridDims }
        const twins = rows.map((row) => encodeI16Twin(row, options))
        const got = encodeI16(rows, dimensions, options)
        expect(got).toEqual({
          grid: twins.map((twin) => twin.row),
          clamped: twins.filter((twin) => twin.clamped).length,
        })
        const zero = new Int16Array(gridDims)
        for (const row of got.grid) expect(l2IntegerTwin(row, zero)).toBeLessThanOrEqual(maxSquaredNorm)
      }),
    )
  })

  it('leaves a row exactly at the limit alone', () => {
    const options = { mean: new Float32Array(8), scale: 1, radiusSquared: -1, gridDims: 8 }
    const row = Float32Array.of(30, 40)
    const at = encodeI16([row], 2, { ...options, maxSquaredNorm: 2500 })
    expect(at).toEqual({ grid: [Int16Array.of(30, 40, 0, 0, 0, 0, 0, 0)], clamped: 0 })
    const below = encodeI16([row], 2, { ...options, maxSquaredNorm: 2499 })
    expect(below).toEqual({ grid: [Int16Array.of(29, 39, 0, 0, 0, 0, 0, 0)], clamped: 1 })
  })

  it('keeps the direction of the wildest outlier', () => {
    const row = Float32Array.of(3e37, -3e37, 0, 0, 0, 0, 0, 0, 3e37)
    const options = { mean: new Float32Array(16), scale: 1e6, maxSquaredNorm: 3e8, radiusSquared: -1, gridDims: 16 }
    const { grid, clamped } = encodeI16([row], 9, options)
    expect(clamped).toBe(1)
    for (const [place, sign] of [
      [0, 1],
      [1, -1],
      [8, 1],
    ]) {
      expect(grid[0][place] * sign).toBeGreaterThanOrEqual(9999)
      expect(grid[0][place] * sign).toBeLessThanOrEqual(10000)
    }
  })

  it('writes zeros to the padding, whatever the mean is there', () => {
    const mean = new Float32Array(8).fill(0.5)
    const options = { mean, scale: 10, maxSquaredNorm: MAX_SQUARED_NORM, radiusSquared: -1, gridDims: 8 }
    expect(encodeI16([Float32Array.of(1, 2, 3)], 3, options).grid).toEqual([Int16Array.of(5, 15, 25, 0, 0, 0, 0, 0)])
  })
})

describe('encodeF32', () => {
  it('equals its twin, with and without the added component', () => {
    fc.assert(
      fc.property(seeds, flavours, counts, anyDimensions, radii, (seed, flavour, count, dimensions, radiusSquared) => {
        const gridDims = gridDimsFor(dimensions, radiusSquared)
        const rows = f32Rows(seed, flavour, count, dimensions)
        const mean = meanOf(seed, gridDims)
        const got = withArena(kernel, () => {
          const at = place(kernel, rows)
          const meanAt = place(kernel, [mean])
          const out = kernel.alloc(count * gridDims * 4)
          kernel.f32(out, count * gridDims).fill(-1)
          const values = { scale: 1, maxSquaredNorm: 0, radiusSquared, mean: meanAt, dimensions, gridDims }
          kernel.fn.encodeF32(placeBlock(kernel, GRID_ENCODER, values), at, count, out)
          return rows.map((_, i) => kernel.f32(out + i * gridDims * 4, gridDims).slice())
        })
        expect(got).toEqual(rows.map((row) => encodeF32Twin(row, { mean, radiusSquared, gridDims })))
      }),
    )
  })
})
