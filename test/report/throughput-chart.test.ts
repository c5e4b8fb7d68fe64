import { describe, expect, it } from 'vitest'
import { ratePieces } from '../../src/report/charts/throughput-chart.js'
import { fullReport } from '../fixtures/reports.js'

describe('ratePieces', () => {
  it('are the vectors between samples, and all vectors in sum', () => {
    const pieces = ratePieces(fullReport()).filter(({ stage }) => stage === 'shards')
    expect(pieces).toEqual([
      { stage: 'shards', fromSeconds: 30, toSeconds: 35, vectorsPerSecond: 8000 },
      { stage: 'shards', fromSeconds: 35, toSeconds: 40, vectorsPerSecond: 12_000 },
    ])
  })

  it('are one for each stage without samples of its progress', () => {
    const { memory } = fullReport()
    const timeline = memory.timeline.map(({ vectorsDone: _, ...sample }) => sample)
    const pieces = ratePieces(fullReport({ memory: { ...memory, timeline } }))
    expect(pieces.map(({ stage }) => stage)).toEqual(['ingest', 'route', 'assign nodes', 'shards', 'merge', 'prove'])
  })

  it('leave out a very short stage', () => {
    const stages = fullReport().stages.map((stage) =>
      stage.name === 'assign nodes' ? { ...stage, seconds: 0.1 } : stage,
    )
    expect(ratePieces(fullReport({ stages })).some(({ stage }) => stage === 'assign nodes')).toBe(false)
  })
})
