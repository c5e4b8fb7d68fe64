import { describe, expect, it } from 'vitest'
import { endSeconds, stageSpans } from '../../src/report/stage-spans.js'
import { fullReport } from '../fixtures/reports.js'

describe('stageSpans', () => {
  it('have the starts of the report, and count / seconds as their rate', () => {
    const spans = stageSpans(fullReport())
    expect(spans.map(({ fromSeconds }) => fromSeconds)).toEqual([0, 10, 20, 30, 40, 50, 60])
    expect(spans[1]).toMatchObject({ name: 'route', seconds: 10, vectorsPerSecond: 10_000 })
  })

  it('count skipped vectors in ingest, too', () => {
    expect(stageSpans(fullReport())[0].vectorsPerSecond).toBe(10_000.3)
  })

  it('follow one another when the report has no starts', () => {
    const stages = [2, 3, 5].map((seconds) => ({ name: 'route' as const, seconds, peakRssBytes: 1 }))
    expect(stageSpans(fullReport({ stages })).map(({ fromSeconds }) => fromSeconds)).toEqual([0, 2, 5])
  })

  it('have no rate in stages that do not work on all vectors', () => {
    const rates = stageSpans(fullReport()).map(({ vectorsPerSecond }) => vectorsPerSecond)
    expect(rates.map((rate) => rate !== undefined)).toEqual([true, true, true, true, true, false, true])
  })

  it('end with the last of stages, samples and the build', () => {
    expect(endSeconds(fullReport())).toBe(70.25)
    expect(endSeconds(fullReport({ seconds: 1 }))).toBe(70)
    expect(endSeconds(fullReport({ seconds: 0, stages: [], memory: undefined as never }))).toBe(0.001)
  })
})
