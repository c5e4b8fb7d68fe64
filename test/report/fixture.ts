/** A manifest with a report that has everything, and small things that the tests of the page share. */
import type { Manifest } from '../../src/format/manifest.js'
import type { SegmentFile } from '../../src/format/segment-file.js'
import type { BuildReport, MemorySample, RecallCurve } from '../../src/types.js'

const STAGES = ['ingest', 'route', 'number', 'shards', 'merge', 'upper levels', 'prove'] as const

/** Ten seconds a stage, one after the other; a sample every five seconds. */
export function fullReport(change: Partial<BuildReport> = {}): BuildReport {
  return {
    count: 100_000,
    skipped: 3,
    skippedInvalid: 2,
    skippedDuplicates: 1,
    dimensions: 128,
    metric: 'l2',
    engine: 'pipnn',
    quality: 'balanced',
    trialRecall: 0.9873,
    storage: 'f32',
    m: 16,
    seed: 1,
    threads: 2,
    memoryBytes: 300e6,
    shards: 25,
    splitShards: 0,
    seconds: 70.25,
    stages: STAGES.map((name, i) => ({ name, atSeconds: 10 * i, seconds: 10, peakRssBytes: 1e8 + i })),
    workers: { busySeconds: 120, tileSeconds: 80 },
    peakRssBytes: 236e6,
    memory: {
      pressure: { elevated: 2, high: 1, critical: 0, ingestPauses: 0 },
      timeline: STAGES.flatMap((stage, i) => [sample(10 * i, stage, 0), sample(10 * i + 5, stage, 40_000)]),
    },
    spilledBytes: 161e6,
    diskBytes: 71e6,
    reachable: 100_000,
    repaired: 7,
    recallAt10: 0.98765,
    averageDegree: 23.98,
    graph: {
      shardSizes: { from: 11_000, width: 200, counts: [2, 0, 23], least: 11_005, most: 11_571 },
      degrees: { from: 1, width: 1, counts: [10, 90, 99_900], least: 1, most: 3 },
      levels: [100_000, 6250, 390, 24],
    },
    generation: 'gen-000004',
    path: '/data/articles.index',
    events: [{ kind: 'fewer-threads', stage: 'plan', message: 'memory for 1 of 2 worker threads', atSeconds: 0.5 }],
    ...change,
  }
}

function sample(atSeconds: number, stage: MemorySample['stage'], vectorsDone: number): MemorySample {
  const rssBytes = 1e8 + 1e6 * atSeconds
  const pressure = atSeconds > 40 ? 'elevated' : 'normal'
  return { atSeconds, stage, rssBytes, queueBytes: 1e6, spilledBytes: 2e6 * atSeconds, vectorsDone, pressure }
}

const SEGMENTS: readonly SegmentFile[] = [
  { name: 'vectors-000.seg', kind: 'vectors', firstNode: 0, count: 100_000, bytes: 51_300_000, crc32: 0xabc },
  { name: 'links-000.seg', kind: 'links', firstNode: 0, count: 50_000, bytes: 6_600_000, crc32: 0x12345678 },
  { name: 'links-001.seg', kind: 'links', firstNode: 50_000, count: 50_000, bytes: 6_700_000, crc32: 0xffffffff },
  { name: 'upper.seg', kind: 'upper', firstNode: 0, count: 6250, bytes: 514_000, crc32: 1 },
]

export function fullManifest(change: Partial<BuildReport> = {}, rest: Partial<Manifest> = {}): Manifest {
  const report = fullReport(change)
  return {
    formatVersion: 1,
    generation: report.generation,
    createdAt: '2026-01-31T12:00:00.000Z',
    metric: report.metric,
    dimensions: report.dimensions,
    storage: 'f32',
    count: report.count,
    m: report.m,
    seed: report.seed,
    engine: report.engine,
    entryPoint: { node: 17, level: 3, index: 2 },
    levels: 3,
    segments: SEGMENTS,
    report,
    ...rest,
  }
}

export const CURVE: RecallCurve = {
  generation: 'gen-000004',
  k: 10,
  queries: 200,
  source: 'sampled',
  points: [
    { ef: 16, recall: 0.9521, queriesPerSecond: 21_345.6, p50Ms: 0.0421 },
    { ef: 64, recall: 0.9911, queriesPerSecond: 8123.4, p50Ms: 0.1211 },
    { ef: 256, recall: 0.9991, queriesPerSecond: 2501.2, p50Ms: 0.4012 },
  ],
}

/** The text of a page without its marks: what a reader sees. */
export function textOf(html: string): string {
  return html
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name])
    .replace(/\s+/g, ' ')
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** A billion vectors in two days: every number is as long as it gets. */
export function largeManifest(change: Partial<BuildReport> = {}): Manifest {
  const report = fullReport()
  const times = 24_321
  const count = 1_234_567_890
  return fullManifest({
    count,
    reachable: count,
    repaired: 12_345_678,
    skipped: 23_456_789,
    dimensions: 65_536,
    seconds: 70 * times,
    stages: report.stages.map((stage) => ({
      ...stage,
      atSeconds: 10 * times * report.stages.indexOf(stage),
      seconds: 10 * times - 1234,
      peakRssBytes: 987.6e9,
    })),
    memoryBytes: 1000e9,
    peakRssBytes: 987.6e9,
    spilledBytes: 12.3e15,
    diskBytes: 98.7e15,
    shards: 123_456,
    splitShards: 12_345,
    memory: {
      pressure: { elevated: 1234, high: 567, critical: 89, ingestPauses: 1234 },
      timeline: report.memory.timeline.map((sample, i) => ({
        ...sample,
        atSeconds: sample.atSeconds * times,
        rssBytes: 900e9 + 6e9 * i,
        cgroupBytes: 800e9 + 5e9 * i,
        queueBytes: 10e9 * i,
        spilledBytes: 0.9e15 * i,
        vectorsDone: (sample.vectorsDone ?? 0) * 12_000,
        pressure: (['normal', 'elevated', 'high', 'critical'] as const)[i % 4],
      })),
    },
    graph: {
      shardSizes: {
        from: 1_200_000,
        width: 50_000,
        counts: [12_345, 0, 98_765, 12_346],
        least: 1_234_567,
        most: 1_399_999,
      },
      degrees: {
        from: 0,
        width: 2,
        counts: Array.from({ length: 64 }, (_, i) => 1_000_000 * i * i),
        least: 0,
        most: 127,
      },
      levels: Array.from({ length: 9 }, (_, level) => Math.ceil(count / 10 ** level)),
    },
    averageDegree: 101.23,
    ...change,
  })
}
