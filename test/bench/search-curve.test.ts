import { describe, expect, it } from 'vitest'

interface CurvePoint {
  ef: number
  recall: number
  qps: number
}
interface SearchCurve {
  qpsAtRecall: (curve: readonly CurvePoint[], recall: number) => { qps: number; atLeast: boolean } | null
  median: (values: readonly number[]) => number
}

const at = new URL('../../bench/search-curve.mjs', import.meta.url)
const { qpsAtRecall, median } = (await import(at.href)) as SearchCurve

const curve = [
  { ef: 16, recall: 0.9, qps: 10_000 },
  { ef: 32, recall: 0.96, qps: 1000 },
  { ef: 64, recall: 0.96, qps: 900 },
  { ef: 128, recall: 0.98, qps: 100 },
]

describe('qpsAtRecall', () => {
  it('interpolates the logarithm of the rate between the points around a recall', () => {
    expect(qpsAtRecall(curve, 0.93)?.qps).toBeCloseTo(Math.sqrt(10_000 * 1000))
    expect(qpsAtRecall(curve, 0.97)?.qps).toBeCloseTo(Math.sqrt(900 * 100))
  })

  it('gives the rate of the first point that has exactly the recall', () => {
    expect(qpsAtRecall(curve, 0.9)).toEqual({ qps: 10_000, atLeast: false })
    expect(qpsAtRecall(curve, 0.96)?.qps).toBeCloseTo(1000)
  })

  it('says that a recall below the first point may be had faster', () => {
    expect(qpsAtRecall(curve, 0.5)).toEqual({ qps: 10_000, atLeast: true })
  })

  it('is null for a recall that was not reached', () => {
    expect(qpsAtRecall(curve, 0.99)).toBeNull()
  })
})

describe('median', () => {
  it('is the middle one, of an even number the lower middle one', () => {
    expect(median([3, 1, 20])).toBe(3)
    expect(median([4, 1, 20, 3])).toBe(3)
  })
})
