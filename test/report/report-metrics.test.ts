import { describe, expect, it } from 'vitest'
import { failureMetrics, reportMetrics } from '../../src/report/metrics/report-metrics.js'
import { exposition } from '../../src/report/metrics/exposition.js'
import type { BuildReport } from '../../src/api/report.js'
import { HOSTS } from '../fixtures/reports.js'
import { parseExposition } from '../fixtures/parse-exposition.js'

const PATH = '/data/my "odd"\\\nindex'
const report: BuildReport = {
  count: 1_000_000,
  skipped: 3,
  skippedInvalid: 2,
  skippedDuplicates: 1,
  dimensions: 768,
  metric: 'cosine',
  engine: 'pipnn',
  quantization: 'sq8',
  quality: 'high',
  m: 16,
  seed: 1,
  threads: 4,
  memoryBytes: 2e9,
  shards: 100,
  splitShards: 0,
  seconds: 500.5,
  workers: { busySeconds: 1900, tileSeconds: 1 },
  stages: [
    { name: 'ingest', seconds: 12.5, peakRssBytes: 5e8 },
    { name: 'upper levels', seconds: 0, peakRssBytes: 1.9e9 },
  ],
  peakRssBytes: 1.9e9,
  memory: { pressure: { elevated: 3, high: 2, critical: 1, ingestPauses: 4 }, timeline: [] },
  spilledBytes: 3e9,
  diskBytes: 3.3e9,
  reachable: 1_000_000,
  repaired: 7,
  recallAt10: 0.98765,
  selfRecall: 0.995,
  averageDegree: 24.25,
  generation: 'gen-000002',
  path: PATH,
  events: [{ kind: 'memory', stage: 'plan', message: 'less memory', atSeconds: 0 }],
}
const at = new Date('2026-11-21T02:15:00.500Z')

describe('reportMetrics', () => {
  const families = parseExposition(reportMetrics(report, at))
  const samples = (name: string) =>
    families
      .get(`shardloom_build_${name}`)
      ?.samples.map(({ labels: { index: _index, ...labels }, value }) => [labels, value])

  it.each([
    ['success', [[{}, 1]]],
    ['finished_timestamp_seconds', [[{}, at.getTime() / 1000]]],
    ['last_success_timestamp_seconds', [[{}, at.getTime() / 1000]]],
    [
      'info',
      [[{ generation: 'gen-000002', metric: 'cosine', engine: 'pipnn', quality: 'high', quantization: 'sq8' }, 1]],
    ],
    ['duration_seconds', [[{}, 500.5]]],
    [
      'stage_duration_seconds',
      [
        [{ stage: 'ingest' }, 12.5],
        [{ stage: 'upper levels' }, 0],
      ],
    ],
    [
      'stage_peak_memory_bytes',
      [
        [{ stage: 'ingest' }, 5e8],
        [{ stage: 'upper levels' }, 1.9e9],
      ],
    ],
    ['vectors', [[{}, 1e6]]],
    [
      'skipped_vectors',
      [
        [{ reason: 'invalid' }, 2],
        [{ reason: 'duplicate' }, 1],
      ],
    ],
    ['recall_ratio', [[{}, 0.98765]]],
    ['self_recall_ratio', [[{}, 0.995]]],
    ['memory_budget_bytes', [[{}, 2e9]]],
    ['peak_memory_bytes', [[{}, 1.9e9]]],
    [
      'memory_pressure_entered',
      [
        [{ level: 'elevated' }, 3],
        [{ level: 'high' }, 2],
        [{ level: 'critical' }, 1],
      ],
    ],
    ['ingest_pauses', [[{}, 4]]],
    ['spilled_bytes', [[{}, 3e9]]],
    ['index_size_bytes', [[{}, 3.3e9]]],
    ['repaired_nodes', [[{}, 7]]],
    ['warnings', [[{}, 1]]],
  ])('has %s as in the report', (name, expected) => {
    expect(samples(name)).toEqual(expected)
  })

  it('consists of gauges with help, all with the label of the index', () => {
    expect(families.size).toBeGreaterThan(18)
    for (const [name, family] of families) {
      expect(name).toMatch(/^shardloom_build_[a-z_]+$/)
      expect(family.type).toBe('gauge')
      expect(family.help).toMatch(/^[A-Z1].*\.$/)
      for (const { labels } of family.samples) expect(labels['index']).toBe(PATH)
    }
  })
})

describe('reportMetrics of a build on many machines', () => {
  const families = parseExposition(reportMetrics({ ...report, hosts: HOSTS }, at))
  const samples = (name: string) =>
    families.get(`shardloom_build_${name}`)?.samples.map(({ labels, value }) => [labels['host'], value])

  it.each([
    ['hosts', [[undefined, 2]]],
    ['refused_hosts', [[undefined, 1]]],
    [
      'host_tasks',
      [
        ['ape-17-k3', 1200],
        ['bee-9-x', 400],
      ],
    ],
    [
      'host_busy_seconds',
      [
        ['ape-17-k3', 75],
        ['bee-9-x', 25],
      ],
    ],
    [
      'host_lost_tasks',
      [
        ['ape-17-k3', 2],
        ['bee-9-x', 0],
      ],
    ],
    [
      'host_peak_memory_bytes',
      [
        ['ape-17-k3', 1.5e9],
        ['bee-9-x', 1.5e9],
      ],
    ],
  ])('has %s', (name, expected) => {
    expect(samples(name)).toEqual(expected)
  })

  it('are gauges, and absent of a build on one', () => {
    for (const { type } of families.values()) expect(type).toBe('gauge')
    expect(parseExposition(reportMetrics(report, at)).has('shardloom_build_hosts')).toBe(false)
  })
})

it('reportMetrics leaves self_recall_ratio out when the report has none', () => {
  const { selfRecall: _, ...older } = report
  expect(parseExposition(reportMetrics(older, at)).has('shardloom_build_self_recall_ratio')).toBe(false)
})

describe('failureMetrics', () => {
  const later = new Date('2026-11-22T02:15:00Z')
  const failed = (before: string) =>
    parseExposition(failureMetrics({ path: PATH, code: 'SHARDLOOM_DISK_FULL', before }, later))

  it('has success 0 with the code, and the time', () => {
    const families = failed('')
    expect(families.get('shardloom_build_success')?.samples).toEqual([
      { labels: { index: PATH, code: 'SHARDLOOM_DISK_FULL' }, value: 0 },
    ])
    expect(families.get('shardloom_build_finished_timestamp_seconds')?.samples[0].value).toBe(later.getTime() / 1000)
    expect(families.has('shardloom_build_last_success_timestamp_seconds')).toBe(false)
  })

  it('keeps the time of the last success, over several failures', () => {
    let before = reportMetrics(report, at)
    for (let i = 0; i < 3; i++) before = failureMetrics({ path: PATH, code: 'SHARDLOOM_PATH', before }, later)
    expect(failed(before).get('shardloom_build_last_success_timestamp_seconds')?.samples[0].value).toBe(
      at.getTime() / 1000,
    )
  })

  it('ignores a file with other content', () => {
    expect(failed('shardloom_build_last_success_timestamp_seconds{} soon\n# x').size).toBe(2)
  })
})

describe('exposition', () => {
  it('writes NaN and infinities, and escapes help and labels', () => {
    const samples = [Number.NaN, Infinity, -Infinity, 1e21, 1e-7].map((value, i) => ({
      labels: { i: `${i}"\\\n` },
      value,
    }))
    const family = parseExposition(exposition([{ name: 'x', help: 'a\\b\nc', samples }])).get('x')
    expect(family?.help).toBe('a\\\\b\\nc')
    expect(family?.samples.map(({ value }) => value)).toEqual([Number.NaN, Infinity, -Infinity, 1e21, 1e-7])
    expect(family?.samples[1].labels).toEqual({ i: '1"\\\n' })
  })
})
