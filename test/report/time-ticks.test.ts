import { describe, expect, it } from 'vitest'
import { timeText, timeTicks } from '../../src/report/draw/time-ticks.js'

describe('timeTicks', () => {
  it('are few and at round times', () => {
    expect(timeTicks(18.4, 4).map(({ text }) => text)).toEqual(['0 s', '5 s', '10 s', '15 s'])
    expect(timeTicks(0.35, 4).map(({ text }) => text)).toEqual(['0 s', '0.1 s', '0.2 s', '0.3 s'])
    expect(timeTicks(9000, 4).map(({ text }) => text)).toEqual(['0 s', '1 h', '2 h'])
    expect(timeTicks(30 * 86_400, 4).length).toBeLessThanOrEqual(5)
  })

  it('use seconds, minutes and hours', () => {
    expect([0.5, 59, 60, 90, 3600, 5400, 86_400].map(timeText)).toEqual([
      '0.5 s', '59 s', '1 min', '1 min 30 s', '1 h', '1 h 30 min', '24 h',
    ]) // prettier-ignore
  })
})
