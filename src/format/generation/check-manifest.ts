/** Checks every rule of manifest.json, so that opening an index need not check its fields again. */
import type { Metric } from '../../api/vectors.js'
import type { Quantization } from '../../api/report.js'
import { quantizedShape } from '../graph/quantized-shape.js'
import { FieldChecks } from './field-checks.js'
import { checkFieldFiles, checkFields } from './check-fields.js'
import { checkReport, ENGINE_PATTERN, GENERATION_PATTERN, METRICS } from './check-report.js'
import { FORMAT_VERSION, type EntryPoint, type Manifest } from './manifest.js'
import { kindOfSegmentName, SEGMENT_KINDS, type SegmentFile, type SegmentKind } from '../segment/segment-file.js'
import { segmentFileBytes, SEGMENT_HEADER_BYTES } from '../segment/segment-header.js'
import { MAX_LEVELS } from '../graph/encode-upper.js'
import { QUANTIZATIONS } from '../../api/report.js'

const MAX_U32 = 2 ** 32 - 1
/** Node numbers are u32. */
const MAX_COUNT = MAX_U32
/** The format allows more dimensions than a build accepts. */
const MAX_MANIFEST_DIMENSIONS = 2 ** 28
const MAX_M = 2 ** 16

const MANIFEST_KEYS = [
  'formatVersion',
  'generation',
  'createdAt',
  'metric',
  'dimensions',
  'storage',
  'count',
  'distinctIds',
  'm',
  'seed',
  'engine',
  'entryPoint',
  'levels',
  'liveSequence',
  'fields',
  'segments',
  'report',
] as const satisfies readonly (Exclude<keyof Manifest, 'quantization'> | 'storage')[]

/** @throws CorruptIndexError */
export function checkManifest(json: unknown, path: string): Manifest {
  const checks = new FieldChecks(path)
  const root = checks.object(json, 'manifest')
  if (root.formatVersion !== FORMAT_VERSION) {
    checks.fail('formatVersion', `${FORMAT_VERSION}, the version this shardloom reads`, root.formatVersion)
  }
  checks.keys(root, MANIFEST_KEYS, '')
  const count = checks.integer(root.count, 'count', 1, MAX_COUNT)
  const levels = checks.integer(root.levels, 'levels', 0, MAX_LEVELS)
  const metric = checks.oneOf(root.metric, 'metric', METRICS)
  const quantization = checkQuantization(checks, root.storage, metric)
  const manifest: Manifest = {
    formatVersion: FORMAT_VERSION,
    generation: checks.matching(root.generation, 'generation', GENERATION_PATTERN),
    createdAt: checkTime(checks, root.createdAt),
    metric,
    dimensions: checks.integer(root.dimensions, 'dimensions', 1, MAX_MANIFEST_DIMENSIONS),
    quantization,
    count,
    ...(root.distinctIds !== undefined && {
      distinctIds: checks.integer(root.distinctIds, 'distinctIds', 1, count),
    }),
    m: checks.integer(root.m, 'm', 2, MAX_M),
    seed: checks.integer(root.seed, 'seed', 0, MAX_U32),
    engine: checks.matching(root.engine, 'engine', ENGINE_PATTERN),
    entryPoint: checkEntryPoint(checks, root.entryPoint, count, levels),
    levels,
    ...(root.liveSequence !== undefined && {
      liveSequence: checks.integer(root.liveSequence, 'liveSequence', 0),
    }),
    ...(root.fields !== undefined && { fields: checkFields(checks, root.fields, 'fields') }),
    segments: checks.array(root.segments, 'segments').map((one, at) => checkSegment(checks, one, `segments[${at}]`)),
    report: checkReport(checks, root.report, { count, quantization }),
  }
  checkCoverage(checks, manifest)
  return manifest
}

/** Format 1 calls the field `storage`; indexes from before quantization do not have it. */
function checkQuantization(checks: FieldChecks, value: unknown, metric: Metric): Quantization {
  const quantization = value === undefined ? 'f32' : checks.oneOf(value, 'storage', QUANTIZATIONS)
  if (quantization === 'binary' && metric !== 'cosine')
    checks.fail('storage', `a quantization other than binary with metric ${metric}`, value)
  return quantization
}

function checkTime(checks: FieldChecks, value: unknown): string {
  const time = checks.text(value, 'createdAt')
  if (Number.isNaN(Date.parse(time)) || new Date(time).toISOString() !== time) {
    checks.fail('createdAt', 'a time like 2026-01-31T12:00:00.000Z', value)
  }
  return time
}

function checkEntryPoint(checks: FieldChecks, value: unknown, count: number, levels: number): EntryPoint {
  const entry = checks.object(value, 'entryPoint')
  checks.keys(entry, ['node', 'level', 'index'], 'entryPoint')
  const node = checks.integer(entry.node, 'entryPoint.node', 0, count - 1)
  const level = checks.integer(entry.level, 'entryPoint.level', levels, levels)
  const index = checks.integer(entry.index, 'entryPoint.index', 0, count - 1)
  if (level === 0 && index !== node) checks.fail('entryPoint.index', `the node ${node}`, index)
  return { node, level, index }
}

function checkSegment(checks: FieldChecks, value: unknown, field: string): SegmentFile {
  const segment = checks.object(value, field)
  checks.keys(segment, ['name', 'kind', 'firstNode', 'count', 'bytes', 'crc32'], field)
  const name = checks.text(segment.name, `${field}.name`)
  const kind = kindOfSegmentName(name)
  if (kind === undefined) return checks.fail(`${field}.name`, 'the name of a segment file', name)
  return {
    name,
    kind: checks.oneOf(segment.kind, `${field}.kind`, [kind]),
    firstNode: checks.integer(segment.firstNode, `${field}.firstNode`, 0, MAX_COUNT),
    count: checks.integer(segment.count, `${field}.count`, 0, MAX_COUNT),
    bytes: checks.integer(segment.bytes, `${field}.bytes`, SEGMENT_HEADER_BYTES),
    crc32: checks.integer(segment.crc32, `${field}.crc32`, 0, MAX_U32),
  }
}

/** Each required kind covers nodes 0 to count − 1 without gap or overlap; no two segments have one name. */
function checkCoverage(checks: FieldChecks, manifest: Manifest): void {
  const { segments, count } = manifest
  const names = new Set<string>()
  segments.forEach(({ name }, at) => {
    if (names.has(name)) checks.fail(`segments[${at}].name`, 'a name not listed before', name)
    names.add(name)
  })
  for (const kind of ['vectors', 'links', 'ids', 'id-table'] as const) checkNodes(checks, manifest, kind)
  checkCodes(checks, manifest)
  if (manifest.fields !== undefined) checkNodes(checks, manifest, 'fields')
  checkFieldFiles(checks, manifest)
  const upper = segments.filter(({ kind }) => kind === 'upper')
  if (upper.length !== 1 || upper[0].firstNode !== 0 || upper[0].count > count) {
    checks.fail('segments', 'a list with one upper.seg of nodes 0 to count', upper)
  }
}

/** The index has codes and a codebook exactly when its quantization does. */
function checkCodes(checks: FieldChecks, manifest: Manifest): void {
  const { segments, dimensions, quantization } = manifest
  const shape = quantization === 'f32' ? undefined : quantizedShape(quantization, dimensions)
  const codes = segments.filter(({ kind }) => kind === 'codes')
  if (shape !== undefined) {
    checkNodes(checks, manifest, 'codes')
    const vectors = segments.filter(({ kind }) => kind === 'vectors')
    codes.forEach((file, i) => {
      // Both cover all nodes, so the first ranges that differ have different counts.
      const at = segments.indexOf(file)
      checks.integer(file.count, `segments[${at}].count`, vectors[i].count, vectors[i].count)
    })
  } else if (codes.length > 0) {
    checks.fail('segments', 'a list without codes for f32', codes[0])
  }
  const codebookBytes = shape?.codebookBytes ?? 0
  const codebooks = segments.filter(({ kind }) => kind === 'codebook')
  if (codebooks.length !== (codebookBytes > 0 ? 1 : 0)) {
    checks.fail('segments', `a list with ${codebookBytes > 0 ? 'one' : 'no'} codebook for ${quantization}`, codebooks)
  }
  for (const file of codebooks) {
    const at = segments.indexOf(file)
    checks.integer(file.firstNode, `segments[${at}].firstNode`, 0, 0)
    checks.integer(file.count, `segments[${at}].count`, 0, 0)
    checks.integer(
      file.bytes,
      `segments[${at}].bytes`,
      segmentFileBytes(codebookBytes),
      segmentFileBytes(codebookBytes),
    )
  }
}

function checkNodes(checks: FieldChecks, manifest: Manifest, kind: SegmentKind): void {
  const { segments, count } = manifest
  const strideBytes = SEGMENT_KINDS[kind].strideBytes(manifest)
  let next = 0
  segments.forEach((segment, at) => {
    if (segment.kind !== kind) return
    if (segment.firstNode !== next) checks.fail(`segments[${at}].firstNode`, `${next}, without gap`, segment.firstNode)
    checks.integer(segment.count, `segments[${at}].count`, 1, count - next)
    if (strideBytes > 0 && segment.bytes !== segmentFileBytes(strideBytes * segment.count)) {
      checks.fail(`segments[${at}].bytes`, String(segmentFileBytes(strideBytes * segment.count)), segment.bytes)
    }
    next += segment.count
  })
  if (next !== count) checks.fail('segments', `a list whose ${kind} cover ${count} nodes`, next)
}
