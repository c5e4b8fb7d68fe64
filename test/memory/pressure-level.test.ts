import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAtLeast, PRESSURE_LEVELS, pressureLevel, queueLimit } from '../../src/memory/pressure-level.js'

const level = fc.constantFrom(...PRESSURE_LEVELS)

describe('pressureLevel', () => {
  it.each([
    [0.1, 'normal'],
    [0.7499, 'normal'],
    [0.75, 'elevated'],
    [0.8999, 'elevated'],
    [0.9, 'high'],
    [0.9499, 'high'],
    [0.95, 'critical'],
    [1.7, 'critical'],
  ] as const)('at %s of the budget, after a lower level, is %s', (share, expected) => {
    expect(pressureLevel(share, 'normal')).toBe(expected)
  })

  it.each([
    [0.94, 'critical', 'critical'],
    [0.91, 'critical', 'high'],
    [0.88, 'high', 'high'],
    [0.86, 'high', 'elevated'],
    [0.73, 'elevated', 'elevated'],
    [0.71, 'elevated', 'normal'],
    [0.1, 'critical', 'normal'],
  ] as const)('at %s, after %s, is %s: a level ends only well below its share', (share, before, expected) => {
    expect(pressureLevel(share, before)).toBe(expected)
  })

  it('never falls when the share does not', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        level,
        (share, more, before) => {
          expect(isAtLeast(pressureLevel(share + more, before), pressureLevel(share, before))).toBe(true)
        },
      ),
    )
  })

  it('stays when the share does', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2, noNaN: true }), level, (share, before) => {
        const first = pressureLevel(share, before)
        expect(pressureLevel(share, first)).toBe(first)
      }),
    )
  })
})

describe('queueLimit', () => {
  it.each([
    ['normal', 1000, 900, 1000],
    ['elevated', 1000, 900, 900],
    ['elevated', 1000, 10, 250],
    ['elevated', 1000, 5000, 1000],
    ['high', 1000, 900, 125],
    ['critical', 1000, 900, 0],
  ] as const)('under %s pressure, planned %s and held %s, is %s', (pressure, planned, held, expected) => {
    expect(queueLimit(pressure, planned, held)).toBe(expected)
  })
})
