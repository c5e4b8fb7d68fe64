import fc from 'fast-check'
import { expect, it } from 'vitest'
import { partsToMerge } from '../../src/live/jobs/merge-policy.js'

const sizesOf = fc.array(fc.nat(5000), { maxLength: 12 })

it('four parts of like size are merged, and fewer are not', () => {
  expect(partsToMerge([10, 12, 30, 1000], 8)).toBeUndefined()
  expect(partsToMerge([10, 12, 1000, 30, 15], 8)).toEqual([0, 1, 3, 4])
})

it('above the most parts the smallest are merged, whatever their sizes', () => {
  const sizes = [1, 10, 100, 1000, 10_000, 100_000]
  expect(partsToMerge(sizes, 6)).toBeUndefined()
  expect(partsToMerge(sizes, 5)).toEqual([0, 1, 2, 3])
})

it('a part that would be merged again at once is merged with the others right away', () => {
  expect(partsToMerge([40, 40, 40, 10, 10, 10, 10], 8)).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect(partsToMerge([160, 160, 40, 160, 40, 40, 10, 10, 10, 10], 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

it('what is merged is not merged again before another part comes, and at least two parts are', () => {
  fc.assert(
    fc.property(sizesOf, fc.integer({ min: 4, max: 8 }), (sizes, maxParts) => {
      const chosen = partsToMerge(sizes, maxParts)
      if (chosen === undefined) return
      expect(chosen.length).toBeGreaterThan(1)
      expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b))
      const others = sizes.filter((_, at) => !chosen.includes(at))
      const merged = chosen.reduce((sum, at) => sum + sizes[at], 0)
      expect(partsToMerge([...others, merged], maxParts) ?? []).not.toContain(others.length)
    }),
  )
})
