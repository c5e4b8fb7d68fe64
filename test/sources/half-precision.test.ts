import { describe, expect, it } from 'vitest'
import { halfValues } from '../../src/sources/bytes/half-values.js'

describe('half precision', () => {
  // From IEEE 754-2008, binary16.
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65_504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])('bits %i are %d', (bits, value) => {
    expect(halfValues()[bits]).toBe(value)
  })

  it('grows with its bits from 0 to infinity', () => {
    const values = halfValues().subarray(0, 0x7c01)
    expect(values.every((value, i) => i === 0 || value > values[i - 1])).toBe(true)
  })
})
