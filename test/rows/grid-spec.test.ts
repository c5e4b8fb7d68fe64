import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { MAX_GRID_SQUARED_NORM, makeGridSpec } from '../../src/rows/grid-spec.js'
import { encode, randomRows, specOf, squaredL2, squaredNorm } from '../fixtures/tasks.js'

const kernel = Kernel.create()
const norms = (values: readonly number[], dims: number): number[] =>
  Array.from({ length: values.length / dims }, (_, row) =>
    values.slice(row * dims, (row + 1) * dims).reduce((sum, value) => sum + value * value, 0),
  )

/** Rows longer than the radius, at the length of the radius. */
function shorten(rows: Float32Array, dimensions: number, radiusSquared: number): Float32Array {
  return rows.map((x, i) => {
    const squared = squaredNorm(rows, dimensions, Math.floor(i / dimensions))
    return squared > radiusSquared ? x * Math.sqrt(radiusSquared / squared) : x
  })
}

describe('makeGridSpec', () => {
  it('scales so that no sampled vector is clamped, and the largest comes near the bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer(),
        fc.constantFrom('l2' as const, 'cosine' as const, 'ip' as const),
        fc.integer({ min: -12, max: 12 }),
        fc.integer({ min: -50, max: 50 }),
        (dimensions, count, seed, metric, exponent, offset) => {
          const rows = randomRows(count, dimensions, seed).map((x) => (x + offset) * 10 ** exponent)
          const spec = specOf(metric, dimensions, rows)
          if (spec.kind === 'f32') return
          const largest = Math.max(...norms(encode(kernel, spec, rows).values, spec.gridDims))
          expect(largest).toBeLessThanOrEqual(MAX_GRID_SQUARED_NORM)
        },
      ),
    )
  })

  it('uses the range: the largest sampled code has a squared norm above 4.8e8', () => {
    const rows = randomRows(1000, 24, 1)
    const spec = specOf('l2', 24, rows)
    expect(spec.kind).toBe('i16')
    expect(Math.max(...norms(encode(kernel, spec, rows).values, spec.gridDims))).toBeGreaterThan(4.8e8)
  })

  it('keeps the order of distances: codes differ from the vectors by their rounding only', () => {
    const dimensions = 20
    const rows = randomRows(200, dimensions, 2).map((x) => x + 100)
    const spec = specOf('l2', dimensions, rows)
    const { values } = encode(kernel, spec, rows)
    for (let i = 1; i < 200; i++) {
      const exact = Math.sqrt(squaredL2(rows, dimensions, 0, i)) * spec.scale
      expect(Math.abs(Math.sqrt(squaredL2(values, spec.gridDims, 0, i)) - exact)).toBeLessThan(Math.sqrt(dimensions))
    }
  })

  it('falls back to f32 codes when outliers would leave the bulk too few steps', () => {
    const rows = randomRows(1001, 8, 3)
    rows.fill(1e5, 0, 8)
    const spec = specOf('l2', 8, rows)
    expect(spec).toMatchObject({ kind: 'f32', scale: 1, gridDims: 8 })
    rows.fill(0, 0, 8)
    expect(specOf('l2', 8, rows).kind).toBe('i16')
  })

  it('takes any scale when all vectors are the same', () => {
    expect(specOf('l2', 4, new Float32Array(40).fill(3.25))).toMatchObject({ kind: 'i16', scale: 1 })
    expect(specOf('l2', 4, new Float32Array(40))).toMatchObject({ kind: 'i16', scale: 1 })
  })

  it('centres on the sample mean, with zeros in the padding', () => {
    const { mean, gridDims } = makeGridSpec('l2', 3, { rows: Float32Array.of(1, 2, 3, 3, 2, 1), count: 2 }, 14)
    expect(gridDims).toBe(8)
    expect(Array.from(mean)).toEqual([2, 2, 2, 0, 0, 0, 0, 0])
  })

  it('adds for ip the component that turns inner products into distances', () => {
    const dimensions = 10
    const rows = randomRows(300, dimensions, 4)
    const spec = specOf('ip', dimensions, rows)
    expect(spec).toMatchObject({ kind: 'i16', gridDims: 16 })
    const { values } = encode(kernel, spec, rows)
    // |a − b|² = 2R² − 2ab − 2·√(R²−a²)·√(R²−b²) for rows lifted to the sphere of radius R.
    const shortened = shorten(rows, dimensions, spec.radiusSquared)
    const lift = (row: number): number =>
      Math.sqrt(Math.max(0, spec.radiusSquared - squaredNorm(shortened, dimensions, row)))
    for (let i = 1; i < 300; i++) {
      const exact = Math.sqrt(squaredL2(shortened, dimensions, 0, i) + (lift(0) - lift(i)) ** 2) * spec.scale
      expect(Math.abs(Math.sqrt(squaredL2(values, spec.gridDims, 0, i)) - exact)).toBeLessThan(5)
    }
  })

  it('takes for ip the 99th percentile of lengths as the radius, and gives longer rows that length', () => {
    const dimensions = 10
    const rows = randomRows(300, dimensions, 4)
    // Three of 300, a million times longer.
    for (let i = 0; i < 3 * dimensions; i++) rows[i] *= 1e6
    const spec = specOf('ip', dimensions, rows)
    const lengths = Array.from({ length: 300 }, (_, row) => squaredNorm(rows, dimensions, row)).sort((a, b) => a - b)
    expect(spec.radiusSquared).toBeCloseTo(lengths[296], 5)
    // The other rows are told apart: with the longest as the radius, all would be one point of the grid.
    const { values } = encode(kernel, spec, rows)
    expect(Math.sqrt(squaredL2(values, spec.gridDims, 10, 11))).toBeGreaterThan(1000)
    expect(spec.kind).toBe('i16')
  })

  it('gives the other metrics no added component', () => {
    expect(specOf('cosine', 10, randomRows(5, 10, 1)).radiusSquared).toBe(-1)
    expect(specOf('l2', 8, randomRows(5, 8, 1))).toMatchObject({ radiusSquared: -1, gridDims: 8 })
  })
})
