import { describe, expect, it } from 'vitest'
import { endSeconds, stageSpans } from '../../src/report/stage-spans.js'
import { fullReport } from '../fixtures/reports.js'

describe('stageSpans', () => {
  it('begin when the report says, and pass vectors at count / seconds', () => {
    const spans = stageSpans(fullReport())
    expect(spans.map(({ fromSeconds }) => fromSeconds)).toEqual([0, 10, 20, 30, 40, 50, 60])
    expect(spans[1]).toMatchObject({ name: 'route', seconds: 10, vectorsPerSecond: 10_000 })
  })

  it('count in ingest those that were skipped, too', () => {
    expect(stageSpans(fullReport())[0].vectorsPerSecond).toBe(10_000.3)
  })

  it('of a report that does not say when come one after the other', () => {
    const stages = [2, 3, 5].map((seconds) => ({ name: 'route' as const, seconds, peakRssBytes: 1 }))
    expect(stageSpans(fullReport({ stages })).map(({ fromSeconds }) => fromSeconds)).toEqual([0, 2, 5])
  })

  it('have no rate where it is not vectors that are worked on', () => {
    const rates = stageSpans(fullReport()).map(({ vectorsPerSecond }) => vectorsPerSecond)
    expect(rates.map((rate) => rate !== undefined)).toEqual([true, true, true, true, true, false, true])
  })

  it('end where the longest of stages, samples and the build ends', () => {
    expect(endSeconds(fullReport())).toBe(70.25)
    expect(endSeconds(fullReport({ seconds: 1 }))).toBe(70)
    expect(endSeconds(fullReport({ seconds: 0, stages: [], memory: undefined as never }))).toBe(0.001)
  })
})
