import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { histogramOf, histogramOfCounts } from '../../src/pipeline/report/histogram.js'

const numbers = fc.array(fc.nat({ max: 5_000_000 }), { minLength: 1, maxLength: 300 })

describe('histogramOf', () => {
  it('counts each number in the bucket whose range it is in', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const { from, width, counts } = histogramOf(values)
        const twin = counts.map((_, i) => {
          const start = from + i * width
          return values.filter((value) => value >= start && value < start + width).length
        })
        expect(counts).toEqual(twin)
        expect(twin.reduce((sum, count) => sum + count)).toBe(values.length)
      }),
    )
  })

  it('has few buckets, whatever is counted, and the first and last are not empty', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 2, max: 64 }), (values, most) => {
        const { counts, least, most: largest } = histogramOf(values, most)
        expect(counts.length).toBeLessThanOrEqual(most)
        expect(counts[0]).toBeGreaterThan(0)
        expect(counts.at(-1)).toBeGreaterThan(0)
        expect([least, largest]).toEqual([Math.min(...values), Math.max(...values)])
      }),
    )
  })

  it('has buckets of one number each where they are few enough', () => {
    expect(histogramOf([3, 5, 5])).toEqual({ from: 3, width: 1, counts: [1, 0, 2], least: 3, most: 5 })
  })

  it('has buckets that begin at round numbers where they are wider', () => {
    expect(histogramOf([11_005, 13_671], 24)).toMatchObject({ from: 11_000, width: 200 })
  })
})

describe('histogramOfCounts', () => {
  it('is that of the numbers counted', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 128 }), { minLength: 1, maxLength: 300 }), (values) => {
        const countOf = new Uint32Array(129)
        for (const value of values) countOf[value]++
        expect(histogramOfCounts(countOf)).toEqual(histogramOf(values))
      }),
    )
  })

  it('of nothing is one empty bucket', () => {
    expect(histogramOfCounts(new Uint32Array(33))).toEqual({ from: 0, width: 1, counts: [0], least: 0, most: 0 })
  })
})
