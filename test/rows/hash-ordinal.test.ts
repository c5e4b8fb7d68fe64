import { describe, expect, it } from 'vitest'
import { SALT_LEVEL, SALT_SAMPLE, hashOrdinal, levelOf } from '../../src/rows/hash-ordinal.js'

/** Share of `count` ordinals at level `l` or above, for each l. */
function shares(seed: number, count: number, m: number): number[] {
  const above: number[] = []
  for (let ordinal = 0; ordinal < count; ordinal++) {
    for (let l = 0; l <= levelOf(seed, ordinal, m); l++) above[l] = (above[l] ?? 0) + 1
  }
  return above.map((n) => n / count)
}

describe('levelOf', () => {
  it.each([
    [1, 4],
    [1, 16],
    [77, 16],
    [4_294_967_295, 64],
  ])('with seed %d and M = %d gives level l or more to a share M^-l of the nodes', (seed, m) => {
    const count = 200_000
    const found = shares(seed, count, m)
    expect(found[0]).toBe(1)
    for (let l = 1; m ** -l * count > 200; l++) {
      const expected = m ** -l
      // Five standard errors.
      expect(Math.abs(found[l] - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / count))
    }
  })

  it('is a function of seed and ordinal, and seeds differ', () => {
    const levels = (seed: number): number[] => Array.from({ length: 2000 }, (_, i) => levelOf(seed, i, 4))
    expect(levels(5)).toEqual(levels(5))
    expect(levels(5)).not.toEqual(levels(6))
  })
})

describe('hashOrdinal', () => {
  it('spreads consecutive ordinals over all values of every bit, whatever the seed', () => {
    for (const seed of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
      const ones = new Array<number>(32).fill(0)
      const count = 20_000
      for (let i = 0; i < count; i++) {
        const hash = hashOrdinal(seed, SALT_SAMPLE, i)
        for (let bit = 0; bit < 32; bit++) ones[bit] += (hash >>> bit) & 1
      }
      for (const n of ones) expect(Math.abs(n - count / 2)).toBeLessThan(5 * Math.sqrt(count / 4))
    }
  })

  it('draws for one purpose what says nothing about another', () => {
    let bothLow = 0
    const count = 100_000
    for (let i = 0; i < count; i++) {
      if (hashOrdinal(1, SALT_LEVEL, i) < 2 ** 28 && hashOrdinal(1, SALT_SAMPLE, i) < 2 ** 28) bothLow++
    }
    expect(Math.abs(bothLow - count / 256)).toBeLessThan(5 * Math.sqrt(count / 256))
  })

  it('goes on above 2^32', () => {
    expect(hashOrdinal(1, SALT_LEVEL, 5)).not.toBe(hashOrdinal(1, SALT_LEVEL, 2 ** 32 + 5))
  })
})
