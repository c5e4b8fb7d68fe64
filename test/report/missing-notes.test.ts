import { describe, expect, it } from 'vitest'
import type { BuildReport } from '../../src/api/report.js'
import { missingParts } from '../../src/report/missing-notes.js'
import { fullReport } from '../fixtures/reports.js'

describe('missingParts', () => {
  it('are empty for a full report', () => {
    expect(missingParts(fullReport())).toEqual([])
  })

  it('name what an older report lacks', () => {
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
