import { describe, expect, it } from 'vitest'
import { diskParts } from '../../src/report/charts/disk-chart.js'
import { fullManifest } from '../fixtures/reports.js'

describe('diskParts', () => {
  it('are the files and bytes of each kind, largest first', () => {
    expect(diskParts(fullManifest().segments)).toEqual([
      { kind: 'vectors', files: 1, bytes: 51_300_000 },
      { kind: 'links', files: 2, bytes: 13_300_000 },
      { kind: 'upper', files: 1, bytes: 514_000 },
    ])
  })
})
