import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { uniformFrom, withArena } from '../fixtures/samples.js'
import { nearestTwin } from './twins.js'

const kernel = Kernel.create()
const UNWRITTEN = 0x55555555

function nearest(kind: 'I32' | 'F32', row: readonly number[], k: number): { index: number; distance: number }[] {
  return withArena(kernel, () => {
    const at = kernel.alloc(row.length * 4)
    const outIndex = kernel.alloc((k + 1) * 4)
    const outDistance = kernel.alloc((k + 1) * 4)
    if (kind === 'I32') kernel.i32(at, row.length).set(row)
    else kernel.f32(at, row.length).set(row)
    kernel.u32(outIndex, k + 1).fill(UNWRITTEN)
    kernel.u32(outDistance, k + 1).fill(UNWRITTEN)
    const found = kernel.fn.nearestWords(at, row.length, k, outIndex, outDistance)
    expect(Array.from(kernel.u32(outIndex, k + 1).subarray(found))).toEqual(Array(k + 1 - found).fill(UNWRITTEN))
    expect(Array.from(kernel.u32(outDistance, k + 1).subarray(found))).toEqual(Array(k + 1 - found).fill(UNWRITTEN))
    const distances = kind === 'I32' ? kernel.i32(outDistance, found) : kernel.f32(outDistance, found)
    return Array.from(kernel.u32(outIndex, found), (index, i) => ({ index, distance: distances[i] }))
  })
}

const ks = fc.integer({ min: 0, max: 40 })
const length = { maxLength: 120 }

describe('nearest', () => {
  it('finds the k smallest i32 in order, ties by lower index', () => {
    // Few values make many ties; the others reach the ends of the range.
    const few = fc.array(fc.integer({ min: 0, max: 3 }), length)
    const wide = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), length)
    fc.assert(
      fc.property(fc.oneof(few, wide), ks, (row, k) => {
        expect(nearest('I32', row, k)).toEqual(nearestTwin(row, k))
      }),
    )
  })

  it('finds the k smallest f32 in order, ties by lower index, infinity last', () => {
    const few = fc.array(fc.constantFrom(0, 0.5, 2 ** -149, Infinity), length)
    const wide = fc.array(fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }), length)
    fc.assert(
      fc.property(fc.oneof(few, wide), ks, (row, k) => {
        const positive = row.map((x) => (x === 0 ? 0 : x)) // −0 is not a distance
        expect(nearest('F32', positive, k)).toEqual(nearestTwin(positive, k))
      }),
    )
  })

  it.each([52, 137])('finds a smaller value in every place of a row of %i', (length) => {
    for (let place = 4; place < length; place++) {
      const row = Array.from({ length }, (_, i) => (i === place ? 5 : 100))
      expect(nearest('I32', row, 2)).toEqual([
        { index: place, distance: 5 },
        { index: 0, distance: 100 },
      ])
    }
  })

  it('works for every k on rows of leaf size', () => {
    for (let k = 0; k <= 20; k++) {
      const uniform = uniformFrom(k)
      const row = Array.from({ length: 500 + k }, () => Math.floor(uniform() * (k % 2 === 0 ? 2e9 : 50)))
      expect(nearest('I32', row, k)).toEqual(nearestTwin(row, k))
    }
  })

  it('works for every k when no more elements than needed lie below the bound', () => {
    const row = Array.from({ length: 96 }, (_, i) => (i < 16 ? i : 1000 + i))
    for (let k = 0; k <= 20; k++) expect(nearest('I32', row, k)).toEqual(nearestTwin(row, k))
  })

  it('works when no bound can be found', () => {
    const row = Array<number>(80).fill(NaN)
    expect(nearest('F32', row, 3).map((hit) => hit.index)).toEqual([0, 1, 2])
    const words = withArena(kernel, () => {
      const [at, out] = [kernel.alloc(80 * 4), kernel.alloc(16)]
      kernel.u32(at, 80).fill(0xffffffff)
      kernel.fn.nearestWords(at, 80, 3, out, kernel.alloc(16))
      return Array.from(kernel.u32(out, 3))
    })
    expect(words).toEqual([0, 1, 2])
  })

  it('finds all when k is larger than the row', () => {
    expect(nearest('I32', [9, 7, 8], 10).map((hit) => hit.index)).toEqual([1, 2, 0])
  })
})
