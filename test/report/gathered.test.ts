import { describe, expect, it } from 'vitest'
import { diskParts } from '../../src/report/charts/disk-chart.js'
import { missingParts } from '../../src/report/missing-notes.js'
import { endSeconds, stageSpans } from '../../src/report/stage-spans.js'
import { shortNumber } from '../../src/report/draw/short-number.js'
import { ratePieces } from '../../src/report/charts/throughput-chart.js'
import { timeText, timeTicks } from '../../src/report/draw/time-ticks.js'
import type { BuildReport } from '../../src/api/report.js'
import { fullManifest, fullReport } from '../fixtures/reports.js'

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

describe('ratePieces', () => {
  it('are the vectors done between samples, and all of them in sum', () => {
    const pieces = ratePieces(fullReport()).filter(({ stage }) => stage === 'shards')
    expect(pieces).toEqual([
      { stage: 'shards', fromSeconds: 30, toSeconds: 35, vectorsPerSecond: 8000 },
      { stage: 'shards', fromSeconds: 35, toSeconds: 40, vectorsPerSecond: 12_000 },
    ])
  })

  it('are one for each stage where no sample tells what was done', () => {
    const { memory } = fullReport()
    const timeline = memory.timeline.map(({ vectorsDone: _, ...sample }) => sample)
    const pieces = ratePieces(fullReport({ memory: { ...memory, timeline } }))
    expect(pieces.map(({ stage }) => stage)).toEqual(['ingest', 'route', 'assign nodes', 'shards', 'merge', 'prove'])
  })

  it('leave out a stage that took a moment', () => {
    const stages = fullReport().stages.map((stage) =>
      stage.name === 'assign nodes' ? { ...stage, seconds: 0.1 } : stage,
    )
    expect(ratePieces(fullReport({ stages })).some(({ stage }) => stage === 'assign nodes')).toBe(false)
  })
})

describe('diskParts', () => {
  it('are the files and bytes of each kind, largest first', () => {
    expect(diskParts(fullManifest().segments)).toEqual([
      { kind: 'vectors', files: 1, bytes: 51_300_000 },
      { kind: 'links', files: 2, bytes: 13_300_000 },
      { kind: 'upper', files: 1, bytes: 514_000 },
    ])
  })
})

describe('missingParts', () => {
  it('are none of a full report', () => {
    expect(missingParts(fullReport())).toEqual([])
  })

  it('name what an older report does not hold', () => {
    const {
      memory: _,
      graph: __,
      ...old
    } = fullReport({
      stages: [{ name: 'ingest', seconds: 1, peakRssBytes: 1 }],
    })
    const parts = missingParts(old as BuildReport)
    expect(parts.map((part) => part.split(':')[0])).toEqual([
      'Memory and spilled bytes over time',
      'Shard sizes, degrees and levels',
      'When each stage began',
    ])
  })

  it('say that an import has no shards', () => {
    const { degrees, levels } = fullReport().graph ?? {}
    const graph = { degrees, levels } as BuildReport['graph']
    expect(missingParts(fullReport({ engine: 'hnswlib-import', graph }))).toEqual([
      'Shard sizes: an import has no shards.',
    ])
  })
})

describe('timeTicks', () => {
  it('are at round times, few enough', () => {
    expect(timeTicks(18.4, 4).map(({ text }) => text)).toEqual(['0 s', '5 s', '10 s', '15 s'])
    expect(timeTicks(0.35, 4).map(({ text }) => text)).toEqual(['0 s', '0.1 s', '0.2 s', '0.3 s'])
    expect(timeTicks(9000, 4).map(({ text }) => text)).toEqual(['0 s', '1 h', '2 h'])
    expect(timeTicks(30 * 86_400, 4).length).toBeLessThanOrEqual(5)
  })

  it('are in the units people use', () => {
    expect([0.5, 59, 60, 90, 3600, 5400, 86_400].map(timeText)).toEqual([
      '0.5 s', '59 s', '1 min', '1 min 30 s', '1 h', '1 h 30 min', '24 h',
    ]) // prettier-ignore
  })
})

describe('shortNumber', () => {
  it('has three digits and a letter for thousands, millions and more', () => {
    expect([0, 4.25, 999, 20_000, 1_500_000, 2.5e9, 1e12].map(shortNumber)).toEqual([
      '0', '4.25', '999', '20k', '1.5M', '2.5G', '1T',
    ]) // prettier-ignore
  })
})
