import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.js'
import { quantizedShape } from '../../src/format/graph/quantized-shape.js'
import { suggestQuantization, type SuggestQuantizationOptions } from '../../src/plan/suggest-quantization.js'
import { allRowBytes, leastPageBytes } from '../../src/search/core/row-layout.js'
import { planMemory } from '../../src/search/core/plan-memory.js'

const WORDNET: SuggestQuantizationOptions = { count: 1_000_000, dimensions: 384, metric: 'cosine', memory: '4GB' }

describe('suggestQuantization', () => {
  it.each([
    ['4GB', 'f32'],
    ['1.5GB', 'f16'],
    ['800MB', 'sq8'],
    ['400MB', 'pq'],
    ['240MB', 'binary'],
    ['150MB', undefined],
  ])('of a million vectors of 384 dimensions in %s is %s', (memory, quantization) => {
    expect(suggestQuantization({ ...WORDNET, memory }).suggestion).toBe(quantization)
  })

  it('says for each quantization what a search wants, whether that fits, and what recall it loses', () => {
    const { quantizations, memoryBytes } = suggestQuantization({ ...WORDNET, memory: '800MB' })
    expect(memoryBytes).toBe(800e6)
    expect(quantizations).toMatchObject([
      { quantization: 'f32', walkedBytes: 1536e6, fits: false, recallLoss: 0 },
      { quantization: 'f16', walkedBytes: 768e6, fits: false, recallLoss: 0.001 },
      { quantization: 'sq8', walkedBytes: 388e6, fits: true, recallLoss: 0.01 },
      { quantization: 'pq', walkedBytes: 96e6, fits: true, recallLoss: 0.03 },
      { quantization: 'binary', walkedBytes: 48e6, fits: true, recallLoss: 0.05 },
    ])
  })

  it.each(['l2', 'ip'] as const)('does not name binary for %s', (metric) => {
    const { quantizations } = suggestQuantization({ ...WORDNET, metric })
    expect(quantizations.map(({ quantization }) => quantization)).toEqual(['f32', 'f16', 'sq8', 'pq'])
  })

  it('does not suggest binary below 256 dimensions, where a bit of each tells too little', () => {
    const of = (dimensions: number): unknown =>
      suggestQuantization({ count: 1_000_000, dimensions, metric: 'cosine', memory: '206MB' }).suggestion
    expect([255, 256].map(of)).toEqual([undefined, 'binary'])
  })

  it('says in a sentence what it chose, or what to do when nothing fits', () => {
    expect(suggestQuantization({ ...WORDNET, memory: '800MB' }).message).toMatch(
      /^sq8: \d+ MB of 800 MB, recall@10 up to 0\.01 below that of f32$/,
    )
    expect(suggestQuantization(WORDNET).message).toMatch(/^f32: .* exact distances$/)
    expect(suggestQuantization({ ...WORDNET, memory: '150MB' }).message).toMatch(
      /^none fits 150 MB: the smallest, binary, wants \d+ MB; .* give more memory/,
    )
  })

  it('counts more than 4 GiB, but no links beyond them, which must be in one memory', () => {
    const large = { count: 40_000_000, dimensions: 384, metric: 'cosine', memory: '640GB' } as const
    expect(suggestQuantization(large).suggestion).toBeUndefined()
    expect(suggestQuantization(large).message).toContain('all links must fit in 4 GiB')
    expect(suggestQuantization({ ...large, count: 25_000_000 }).suggestion).toBe('f32')
    expect(suggestQuantization({ ...large, count: 6_000_000, memory: '4GB' }).suggestion).toBe('sq8')
  })

  it('takes the memory that is there when none is given', () => {
    const { memoryBytes } = suggestQuantization({ count: 1000, dimensions: 8 })
    expect(memoryBytes).toBeGreaterThan(0)
  })

  it('asks for enough: an index opened with that much walks without reading', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000_000 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 4, max: 64 }),
        (count, dimensions, m) => {
          for (const { quantization, memoryBytes, fits } of suggestQuantization({
            count,
            dimensions,
            m,
            metric: 'cosine',
            memory: 1e15,
          }).quantizations) {
            if (!fits) continue
            const codes = quantization === 'f32' ? undefined : quantizedShape(quantization, dimensions)
            const shape = { count, dimensions, m, codes }
            const files = { upperBytes: Math.ceil(count / m) * 4 * (m + 3), idsBytes: 20 * count }
            const plan = planMemory(shape, files, { budgetBytes: memoryBytes, preload: false, threads: 1 })
            const vectors = codes === undefined ? 0 : leastVectorBytes(dimensions, m)
            const wanted = allRowBytes(shape) - (codes === undefined ? 0 : 4 * dimensions * count)
            expect(plan.pageBytes).toBeGreaterThanOrEqual(Math.min(allRowBytes(shape), wanted + vectors))
          }
        },
      ),
    )
  })

  it.each<[string, Partial<SuggestQuantizationOptions>]>([
    ['count', { count: 0 }],
    ['dimensions', { dimensions: 1.5 }],
    ['m', { m: Number.NaN }],
    ['metric', { metric: 'cos' as 'l2' }],
    ['memory', { memory: 'much' }],
  ])('refuses an impossible %s', (name, change) => {
    const refused = (): unknown => suggestQuantization({ ...WORDNET, ...change })
    expect(refused).toThrow(InvalidOptionError)
    expect(refused).toThrow(name)
  })
})

/** Vectors that a search must have room for to score candidates again. */
function leastVectorBytes(dims: number, m: number): number {
  // Halves of twice the dimensions are as long.
  const both = leastPageBytes({ count: 1, dimensions: dims, m, codes: quantizedShape('f16', 2 * dims) })
  return both - leastPageBytes({ count: 1, dimensions: dims, m })
}
