/** Checks every rule of the report in manifest.json, so that its users, such as the report page, need not. */
import type { BuildReport } from '../../api/report.js'
import type { Metric } from '../../api/vectors.js'
import type { FieldChecks, JsonObject } from './field-checks.js'
import type { Manifest } from './manifest.js'

export const GENERATION_PATTERN = /^gen-\d{6,15}$/
export const ENGINE_PATTERN = /^[a-z0-9][a-z0-9-]*$/
export const METRICS: readonly Metric[] = ['l2', 'cosine', 'ip']
const QUALITIES: readonly BuildReport['quality'][] = ['balanced', 'high', 'imported']
/** Most buckets of a histogram, and most levels: writers stay far below it. */
const MAX_COUNTS = 4096

const REPORT_NUMBERS = [
  'count',
  'skipped',
  'skippedInvalid',
  'skippedDuplicates',
  'dimensions',
  'm',
  'seed',
  'threads',
  'memoryBytes',
  'shards',
  'splitShards',
  'seconds',
  'peakRssBytes',
  'spilledBytes',
  'diskBytes',
  'reachable',
  'repaired',
  'recallAt10',
  'averageDegree',
] as const satisfies readonly (keyof BuildReport)[]

/** @throws CorruptIndexError */
export function checkReport(
  checks: FieldChecks,
  value: unknown,
  { count, quantization }: Pick<Manifest, 'count' | 'quantization'>,
): BuildReport {
  const report = checks.object(value, 'report')
  for (const name of REPORT_NUMBERS) checkAmount(checks, report[name], `report.${name}`)
  if (report.count !== count) checks.fail('report.count', `the manifest's count ${count}`, report.count)
  checks.oneOf(report.metric, 'report.metric', METRICS)
  checks.matching(report.engine, 'report.engine', ENGINE_PATTERN)
  checkNumbers(checks, report.workers, 'report.workers', ['busySeconds', 'tileSeconds'])
  checks.oneOf(report.quality, 'report.quality', QUALITIES)
  if (report.trialRecall !== undefined) checkAmount(checks, report.trialRecall, 'report.trialRecall')
  // Reports of earlier versions call it `storage`.
  const { storage, ...rest } = report
  const said = report.quantization ?? storage
  if (said !== undefined) checks.oneOf(said, 'report.quantization', [quantization])
  checks.text(report.path, 'report.path')
  checks.matching(report.generation, 'report.generation', GENERATION_PATTERN)
  checkList(checks, report.stages, 'report.stages', { name: 'text', seconds: 'number', peakRssBytes: 'number' })
  checkList(checks, report.events, 'report.events', {
    kind: 'text',
    stage: 'text',
    message: 'text',
    atSeconds: 'number',
  })
  checkLaterFields(checks, report)
  // Fields that a later version adds may stay: the report only describes the build, and nothing relies on them.
  return { ...rest, quantization } as unknown as BuildReport
}

/** Checks fields that reports of earlier versions do not have. */
function checkLaterFields(checks: FieldChecks, report: JsonObject): void {
  const { tile } = checks.object(report.workers, 'report.workers')
  if (tile !== undefined) checks.text(tile, 'report.workers.tile')
  checks.array(report.stages, 'report.stages').forEach((stage, at) => {
    const { atSeconds } = checks.object(stage, `report.stages[${at}]`)
    if (atSeconds !== undefined) checkAmount(checks, atSeconds, `report.stages[${at}].atSeconds`)
  })
  if (report.distinctIds !== undefined) checkAmount(checks, report.distinctIds, 'report.distinctIds')
  if (report.fields !== undefined) checkNumbers(checks, report.fields, 'report.fields', ['count', 'bytes'])
  if (report.resumeBytes !== undefined) checkAmount(checks, report.resumeBytes, 'report.resumeBytes')
  if (report.selfRecall !== undefined) checkAmount(checks, report.selfRecall, 'report.selfRecall')
  if (report.recallInterval !== undefined) {
    checkNumbers(checks, report.recallInterval, 'report.recallInterval', ['low', 'high'])
  }
  if (report.hosts !== undefined) checkHosts(checks, report.hosts)
  if (report.memory !== undefined) checkMemory(checks, report.memory)
  if (report.graph !== undefined) checkGraph(checks, report.graph)
  if (report.resumed !== undefined) {
    const resumed = checkNumbers(checks, report.resumed, 'report.resumed', ['vectors', 'shards', 'segments'])
    checks.text(resumed.startedAt, 'report.resumed.startedAt')
  }
}

function checkHosts(checks: FieldChecks, value: unknown): void {
  checkList(checks, value, 'report.hosts', {
    host: 'text',
    threads: 'number',
    tasks: 'number',
    busySeconds: 'number',
    lostTasks: 'number',
    peakRssBytes: 'number',
    memoryBytes: 'number',
  })
  checks.array(value, 'report.hosts').forEach((host, at) => {
    const { refused } = checks.object(host, `report.hosts[${at}]`)
    if (refused !== undefined) checks.text(refused, `report.hosts[${at}].refused`)
  })
}

function checkMemory(checks: FieldChecks, value: unknown): void {
  const memory = checks.object(value, 'report.memory')
  const levels = ['elevated', 'high', 'critical', 'ingestPauses']
  checkNumbers(checks, memory.pressure, 'report.memory.pressure', levels)
  checkList(checks, memory.timeline, 'report.memory.timeline', {
    atSeconds: 'number',
    stage: 'text',
    rssBytes: 'number',
    queueBytes: 'number',
    spilledBytes: 'number',
    pressure: 'text',
  })
  checks.array(memory.timeline, 'report.memory.timeline').forEach((sample, at) => {
    const { cgroupBytes, vectorsDone } = checks.object(sample, `report.memory.timeline[${at}]`)
    if (cgroupBytes !== undefined) checkAmount(checks, cgroupBytes, `report.memory.timeline[${at}].cgroupBytes`)
    if (vectorsDone !== undefined) checkAmount(checks, vectorsDone, `report.memory.timeline[${at}].vectorsDone`)
  })
}

function checkGraph(checks: FieldChecks, value: unknown): void {
  const graph = checks.object(value, 'report.graph')
  if (graph.shardSizes !== undefined) checkHistogram(checks, graph.shardSizes, 'report.graph.shardSizes')
  checkHistogram(checks, graph.degrees, 'report.graph.degrees')
  checkCounts(checks, graph.levels, 'report.graph.levels')
}

function checkHistogram(checks: FieldChecks, value: unknown, field: string): void {
  const histogram = checks.object(value, field)
  for (const name of ['from', 'least', 'most']) checks.integer(histogram[name], `${field}.${name}`, 0)
  checks.integer(histogram.width, `${field}.width`, 1)
  checkCounts(checks, histogram.counts, `${field}.counts`)
}

function checkCounts(checks: FieldChecks, value: unknown, field: string): void {
  const counts = checks.array(value, field)
  checks.integer(counts.length, `${field}.length`, 1, MAX_COUNTS)
  counts.forEach((count, at) => checks.integer(count, `${field}[${at}]`, 0))
}

function checkNumbers(checks: FieldChecks, value: unknown, field: string, names: readonly string[]): JsonObject {
  const object = checks.object(value, field)
  for (const name of names) checkAmount(checks, object[name], `${field}.${name}`)
  return object
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER
}

/** Bounded, so that sums and shares of such numbers stay finite. */
function checkAmount(checks: FieldChecks, value: unknown, field: string): void {
  const amount = checks.number(value, field)
  if (Math.abs(amount) > Number.MAX_SAFE_INTEGER) checks.fail(field, 'a number up to 2^53', value)
}

function checkList(
  checks: FieldChecks,
  value: unknown,
  field: string,
  shape: Readonly<Record<string, 'text' | 'number'>>,
): void {
  checks.array(value, field).forEach((item, at) => {
    const object: JsonObject = checks.object(item, `${field}[${at}]`)
    for (const [name, type] of Object.entries(shape)) {
      // Without its place: the memory of a long build has thousands of samples.
      if (type === 'number' && isAmount(object[name])) continue
      const place = `${field}[${at}].${name}`
      if (type === 'text') checks.text(object[name], place)
      else checkAmount(checks, object[name], place)
    }
  })
}
