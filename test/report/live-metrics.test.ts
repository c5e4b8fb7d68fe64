import { expect, it } from 'vitest'
import type { LiveFacts } from '../../src/api/live.js'
import { liveMetrics } from '../../src/report/metrics/live-metrics.js'
import { parseExposition } from '../fixtures/parse-exposition.js'

const PATH = '/data/my "odd"\\\nindex'
const facts: LiveFacts = {
  parts: 3,
  partRows: 12_000,
  memoryRows: 700,
  baseRows: 1_000_000,
  deadRows: 5000,
  logBytes: 4096,
  sequence: 17_000,
  seals: 5,
  merges: 2,
  compactions: 1,
  waits: 4,
  failures: 6,
}

it('writes every fact once, as a gauge or a counter, with the path of the index', () => {
  const families = parseExposition(liveMetrics(facts, PATH))
  const values = [...families].map(([name, { samples }]) => [name, samples[0].value])
  expect(Object.fromEntries(values)).toEqual({
    shardloom_live_base_rows: 1_000_000,
    shardloom_live_dead_rows: 5000,
    shardloom_live_parts: 3,
    shardloom_live_part_rows: 12_000,
    shardloom_live_memory_rows: 700,
    shardloom_live_log_size_bytes: 4096,
    shardloom_live_last_sequence: 17_000,
    shardloom_live_seals_total: 5,
    shardloom_live_merges_total: 2,
    shardloom_live_compactions_total: 1,
    shardloom_live_write_waits_total: 4,
    shardloom_live_maintenance_failures_total: 6,
  })
  expect(values).toHaveLength(Object.keys(facts).length)
  for (const [name, { type, samples }] of families) {
    expect(type, name).toBe(name.endsWith('_total') ? 'counter' : 'gauge')
    expect(samples).toHaveLength(1)
    expect(samples[0].labels).toEqual({ index: PATH })
  }
})
