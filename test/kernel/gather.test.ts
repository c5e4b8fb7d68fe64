import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { FLAVOURS, f32Rows, i16Rows, place, placePointers, withArena } from '../fixtures/samples.js'
import { dotTwin, gatherL2Twin, l2IntegerTwin, l2Twin } from './twins.js'

const kernel = Kernel.create()
const UNWRITTEN = 0x55555555
const seeds = fc.integer({ min: 0, max: 1e6 })
const flavours = fc.constantFrom(...FLAVOURS)
const gridDimsOf = fc.integer({ min: 0, max: 20 }).map((eights) => eights * 8)
const counts = fc.integer({ min: 0, max: 13 })
const anyDimensions = fc.integer({ min: 0, max: 131 })

describe('a pair', () => {
  it('l2I16 is exact', () => {
    fc.assert(
      fc.property(seeds, flavours, flavours, gridDimsOf, (seed, flavourA, flavourB, gridDims) => {
        const [a] = i16Rows(seed, flavourA, 1, gridDims)
        const [b] = i16Rows(seed + 1, flavourB, 1, gridDims)
        const got = withArena(kernel, () => kernel.fn.l2I16(place(kernel, [a]), place(kernel, [b]), gridDims))
        expect(got).toBe(l2IntegerTwin(a, b))
      }),
    )
  })

  it('l2F32 is within (n / 16 + 12) * 2^-24 of the true distance, relatively, for any number n of dimensions', () => {
    fc.assert(
      fc.property(seeds, flavours, anyDimensions, (seed, flavour, dimensions) => {
        const [a, b] = f32Rows(seed, flavour, 2, dimensions)
        const got = withArena(kernel, () => kernel.fn.l2F32(place(kernel, [a]), place(kernel, [b]), dimensions))
        const expected = l2Twin(a, b)
        expect(Math.abs(got - expected)).toBeLessThanOrEqual((dimensions / 16 + 12) * 2 ** -24 * expected + 1e-37)
      }),
    )
  })

  it('dotF32 is within (n / 16 + 10) * 2^-24 of the sum of magnitudes, for any number n of dimensions', () => {
    fc.assert(
      fc.property(seeds, flavours, anyDimensions, (seed, flavour, dimensions) => {
        const [a, b] = f32Rows(seed, flavour, 2, dimensions)
        const got = withArena(kernel, () => kernel.fn.dotF32(place(kernel, [a]), place(kernel, [b]), dimensions))
        const { dot, magnitude } = dotTwin(a, b)
        expect(Math.abs(got - dot)).toBeLessThanOrEqual((dimensions / 16 + 10) * 2 ** -24 * magnitude + 1e-37)
      }),
    )
  })

  it('works on rows at any multiple of 4 bytes, as with an odd number of dimensions', () => {
    const rows = f32Rows(3, 'random', 4, 7)
    const at = place(kernel, rows)
    expect(kernel.fn.l2F32(at + 28, at + 84, 7)).toBeCloseTo(l2Twin(rows[1], rows[3]), 5)
    expect(kernel.fn.dotF32(at + 28, at + 84, 7)).toBeCloseTo(dotTwin(rows[1], rows[3]).dot, 5)
  })
})

describe('gather', () => {
  it('i16 is exact for every count and order of rows, and writes nothing else', () => {
    fc.assert(
      fc.property(seeds, flavours, counts, gridDimsOf, (seed, flavour, count, gridDims) => {
        const rows = i16Rows(seed, flavour, count + 1, gridDims)
        withArena(kernel, () => {
          const at = place(kernel, rows)
          const picked = Array.from({ length: count }, (_, i) => (i * 5 + 1) % (count + 1))
          const list = placePointers(
            kernel,
            picked.map((row) => at + row * gridDims * 2),
          )
          const out = kernel.alloc((count + 4) * 4)
          kernel.i32(out, count + 4).fill(UNWRITTEN)
          kernel.fn.gatherL2I16(at, list, count, gridDims, out)
          expect(Array.from(kernel.i32(out, count))).toEqual(picked.map((row) => l2IntegerTwin(rows[0], rows[row])))
          expect(Array.from(kernel.i32(out + count * 4, 4))).toEqual(Array(4).fill(UNWRITTEN))
        })
      }),
    )
  })

  it('f32 equals eight partial sums to the bit, whatever the place in the list', () => {
    fc.assert(
      fc.property(seeds, flavours, counts, gridDimsOf, (seed, flavour, count, gridDims) => {
        const rows = f32Rows(seed, flavour, count + 1, gridDims)
        withArena(kernel, () => {
          const at = place(kernel, rows)
          const picked = Array.from({ length: count }, (_, i) => (i * 5 + 1) % (count + 1))
          const list = placePointers(
            kernel,
            picked.map((row) => at + row * gridDims * 4),
          )
          const out = kernel.alloc((count + 4) * 4)
          kernel.i32(out, count + 4).fill(UNWRITTEN)
          kernel.fn.gatherL2F32(at, list, count, gridDims, out)
          expect(Array.from(kernel.f32(out, count))).toEqual(picked.map((row) => gatherL2Twin(rows[0], rows[row])))
          picked.forEach((row, i) => {
            const expected = l2Twin(rows[0], rows[row])
            const error = Math.abs(kernel.f32(out, count)[i] - expected)
            expect(error).toBeLessThanOrEqual((gridDims / 8 + 10) * 2 ** -24 * expected + 1e-37)
          })
          expect(Array.from(kernel.i32(out + count * 4, 4))).toEqual(Array(4).fill(UNWRITTEN))
        })
      }),
    )
  })
})
