import { describe, expect, it } from 'vitest'
import { MemoryTimeline } from '../../src/memory/memory-timeline.js'
import type { MemorySample } from '../../src/api/report.js'

const sample = (atSeconds: number): MemorySample => ({
  atSeconds,
  stage: 'shards',
  rssBytes: 1,
  queueBytes: 0,
  spilledBytes: 0,
  pressure: 'normal',
})

function timesOf(seconds: number): number[] {
  const timeline = new MemoryTimeline()
  for (let eighth = 0; eighth < 8 * seconds; eighth++) timeline.add(sample(eighth / 8))
  return timeline.samples.map(({ atSeconds }) => atSeconds)
}

describe('MemoryTimeline', () => {
  it('keeps one of the samples of each quarter of a second', () => {
    expect(timesOf(1)).toEqual([0, 0.25, 0.5, 0.75])
  })

  it('keeps at most 256 samples of ten hours, spread evenly', () => {
    const times = timesOf(36_000)
    expect(times.length).toBeLessThanOrEqual(256)
    expect(times.length).toBeGreaterThan(128)
    const gaps = times.slice(1).map((time, i) => time - times[i])
    expect(new Set(gaps)).toEqual(new Set([256]))
    expect(times[0]).toBe(0)
    expect(times.at(-1)).toBeGreaterThan(35_700)
  })
})
