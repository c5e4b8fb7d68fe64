import { describe, expect, it } from 'vitest'
import { shortNumber } from '../../src/report/draw/short-number.js'

describe('shortNumber', () => {
  it('has three digits and a letter for thousands, millions and more', () => {
    expect([0, 4.25, 999, 20_000, 1_500_000, 2.5e9, 1e12].map(shortNumber)).toEqual([
      '0', '4.25', '999', '20k', '1.5M', '2.5G', '1T',
    ]) // prettier-ignore
  })
})
