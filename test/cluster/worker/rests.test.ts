import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Rests } from '../../../src/cluster/worker/rests.js'

describe('a host on which tasks fail', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('rests for twice as long after each failure, up to 30 s, until a task succeeds', () => {
    let ends = 0
    const rests = new Rests(() => ends++)
    const failAndRest = (): number => {
      const ms = rests.failed()
      expect(rests.isResting).toBe(true)
      vi.advanceTimersByTime(ms)
      expect(rests.isResting).toBe(false)
      return ms
    }
    expect(Array.from({ length: 8 }, failAndRest)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(ends).toBe(8)
    rests.succeeded()
    expect(failAndRest()).toBe(500)
  })

  it('rests once for tasks that fail together, and not after its end', () => {
    let ends = 0
    const rests = new Rests(() => ends++)
    expect([rests.failed(), rests.failed()]).toEqual([500, 0])
    rests.close()
    vi.advanceTimersByTime(60_000)
    expect(ends).toBe(0)
  })
})
