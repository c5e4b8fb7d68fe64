import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.js'
import { quantizedShape } from '../../src/format/graph/quantized-shape.js'
import { estimateMemory, type EstimateOptions } from '../../src/pipeline/estimate-memory.js'

const SIFT: EstimateOptions = { count: 100_000, dimensions: 128, threads: 2 }
const MB = 1e6

describe('estimateMemory', () => {
  it.each([
    [SIFT],
    [{ ...SIFT, count: 1 }],
    [{ ...SIFT, count: 3_000_000 }],
    [{ ...SIFT, dimensions: 1536, metric: 'cosine' as const }],
    [{ ...SIFT, metric: 'ip' as const, m: 32, threads: 1 }],
  ])('names the least budget of %j: that is enough, one MB less is not', (options) => {
    const { minimumBytes } = estimateMemory({ ...options, memory: '4GB' })
    expect(estimateMemory({ ...options, memory: minimumBytes }).fits).toBe(true)
    expect(estimateMemory({ ...options, memory: minimumBytes - MB }).fits).toBe(false)
  })

  it('when it does not fit, tells what would be needed and the plan for that', () => {
    const { fits, budgetBytes, peakBytes, minimumBytes, threads, stages } = estimateMemory({ ...SIFT, memory: '40MB' })
    expect({ fits, budgetBytes, threads }).toEqual({ fits: false, budgetBytes: 40 * MB, threads: 1 })
    expect(peakBytes).toBe(minimumBytes)
    expect(stages.length).toBeGreaterThan(0)
  })

  it('grows with count, dimensions and m', () => {
    const of = (changes: Partial<EstimateOptions>): ReturnType<typeof estimateMemory> =>
      estimateMemory({ ...SIFT, memory: '4GB', ...changes })
    const series: Partial<EstimateOptions>[][] = [
      [1, 1000, 10_000, 100_000, 1_000_000, 5_000_000].map((count) => ({ count })),
      // Short vectors make segments of more nodes: below 128 dimensions it is merge that needs more.
      [128, 384, 768, 1536, 3072].map((dimensions) => ({ dimensions })),
      [4, 16, 32, 64].map((m) => ({ m })),
    ]
    for (const steps of series) {
      const estimates = steps.map(of)
      for (let i = 1; i < estimates.length; i++) {
        expect(estimates[i].minimumBytes).toBeGreaterThanOrEqual(estimates[i - 1].minimumBytes)
        expect(estimates[i].indexBytes).toBeGreaterThan(estimates[i - 1].indexBytes)
        expect(estimates[i].temporaryBytes).toBeGreaterThanOrEqual(estimates[i - 1].temporaryBytes)
      }
    }
  })

  it.each(['f16', 'sq8', 'pq', 'binary'] as const)(
    'counts the codes of %s: their bytes, and their stage',
    (quantization) => {
      const options: EstimateOptions = { ...SIFT, metric: 'cosine', memory: '4GB' }
      const plain = estimateMemory(options)
      const coded = estimateMemory({ ...options, quantization })
      const { strideBytes, codebookBytes } = quantizedShape(quantization, SIFT.dimensions)
      expect(coded.indexBytes - plain.indexBytes).toBe(SIFT.count * strideBytes + codebookBytes)
      const names = (estimate: typeof plain): string[] => estimate.stages.map(({ name }) => name)
      expect(names(coded)).toEqual([...names(plain).slice(0, -1), 'quantize', 'prove'])
      expect(estimateMemory({ ...options, quantization, memory: coded.minimumBytes }).fits).toBe(true)
    },
  )

  it('stays within the budget it is asked about', () => {
    for (const memory of [200, 300, 600, 1200, 4000]) {
      const { fits, peakBytes, budgetBytes } = estimateMemory({ ...SIFT, memory: memory * MB })
      expect(fits).toBe(true)
      expect(peakBytes).toBeLessThanOrEqual(budgetBytes)
    }
  })

  it.each([
    ['count', { count: 0 }],
    ['count', { count: 1.5 }],
    ['dimensions', { dimensions: -3 }],
    ['m', { m: Number.NaN }],
    ['quantization', { quantization: 'int8' as 'f32' }],
    ['memory', { memory: '2 chickens' }],
  ])('refuses an impossible %s, by name', (name, changes) => {
    expect(() => estimateMemory({ ...SIFT, ...changes })).toThrow(InvalidOptionError)
    expect(() => estimateMemory({ ...SIFT, ...changes })).toThrow(new RegExp(`^${name} must be`))
  })
})
