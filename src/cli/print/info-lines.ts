import type { LiveFacts } from '../../api/live.js'
import type { Tuning } from '../../api/measure.js'
import type { IndexFacts } from '../../api/search.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { hostsText } from '../../report/host-facts.js'
import { countText, plural, tookText } from '../../report/number-text.js'
import { recallText } from '../../report/verdict.js'
import { liveJson, liveRows } from './live-lines.js'
import { tableLines } from './table-lines.js'
import { tuningText } from './tuning-text.js'

interface FilesOfKind {
  readonly files: number
  readonly bytes: number
}

/** What is in an index with its changes. */
export interface ChangedInfo extends Pick<IndexFacts, 'count' | 'dimensions' | 'metric' | 'm' | 'quantization'> {
  readonly live: LiveFacts
}

/** What is known of an index without reading its segments. */
export interface IndexInfo {
  /** Of the live generation; undefined before the first build of an index that began empty. */
  readonly built: { readonly manifest: Manifest; readonly tuning: readonly Tuning[] } | undefined
  /** What changed since; undefined when it was never written to. */
  readonly changed: ChangedInfo | undefined
}

/** `count` is what the last build has; `live.count` what is in the index with all changes. */
export function infoJson(path: string, { built, changed }: IndexInfo): object {
  const live = changed && { count: changed.count, ...liveJson(changed.live) }
  if (built === undefined) {
    const { dimensions, metric, m, quantization } = changed ?? {}
    return { path, generation: null, count: 0, dimensions, metric, m, quantization, live }
  }
  const { manifest, tuning } = built
  const { segments, report, ...facts } = manifest
  const files = Object.fromEntries(sizesByKind(segments))
  return { path, ...facts, diskBytes: diskBytes(manifest), files, tuning, ...(live && { live }), report }
}

export function infoLines(path: string, { built, changed }: IndexInfo): string[] {
  const changes = changed === undefined ? [] : liveRows(path, changed.live)
  if (built !== undefined) return generationLines(path, built, changed?.count, changes)
  const { count = 0, dimensions, metric, m, quantization = 'f32' } = changed ?? {}
  return tableLines([
    ['index', `${path} (not built yet)`],
    ['vectors', countText(count)],
    ['dimensions', `${dimensions}, ${metric}`],
    ['quantization', `${quantization}, m ${m}, of its first build`],
    ...changes,
  ])
}

function generationLines(
  path: string,
  { manifest, tuning }: NonNullable<IndexInfo['built']>,
  count: number | undefined,
  changes: readonly string[][],
): string[] {
  const { report } = manifest
  const { selfRecall } = report
  const rows = [
    ['index', `${path} (${manifest.generation}, format ${manifest.formatVersion}, ${manifest.createdAt})`],
    ['vectors', countText(count ?? manifest.count)],
    ['dimensions', `${manifest.dimensions}, ${manifest.metric}`],
    ['quantization', quantizationText(manifest)],
    ['graph', `m ${manifest.m}, average degree ${report.averageDegree}, ${plural(manifest.levels, 'upper level')}`],
    ['built by', `${manifest.engine} (${report.quality}), seed ${manifest.seed}, ${plural(report.threads, 'thread')}`],
    ['built in', `${tookText(report.seconds)}, peak memory ${formatByteSize(report.peakRssBytes)}`],
    ...(report.hosts === undefined ? [] : [['built on', hostsText(report.hosts)]]),
    ['recall@10', `${recallText(report.recallAt10, report.recallInterval)}, ef 64`],
    ...(selfRecall === undefined ? [] : [['self-recall', `${selfRecall.toFixed(4)}, ef 64`]]),
    ...tuning.map((one) => ['tuned', tuningText(one)]),
    ['reachable', `${countText(report.reachable)} (${countText(report.repaired)} repaired)`],
    ['skipped', countText(report.skipped)],
    ...changes,
    ['on disk', formatByteSize(diskBytes(manifest))],
  ]
  const sizes = [...sizesByKind(manifest.segments)].map(([kind, { files, bytes }]) => [
    `  ${kind}`,
    formatByteSize(bytes),
    plural(files, 'file'),
  ])
  return [...tableLines(rows), ...tableLines(sizes, [1])]
}

/** Files and bytes of each kind, in the order of the manifest. */
function sizesByKind(segments: Manifest['segments']): Map<string, FilesOfKind> {
  const sizes = new Map<string, FilesOfKind>()
  for (const { kind, bytes } of segments) {
    const before = sizes.get(kind) ?? { files: 0, bytes: 0 }
    sizes.set(kind, { files: before.files + 1, bytes: before.bytes + bytes })
  }
  return sizes
}

function diskBytes({ segments }: Manifest): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** With the bytes of the vectors, and of the codes that searches compare in their place. */
function quantizationText({ quantization, segments }: Manifest): string {
  if (quantization === 'f32') return quantization
  const sizes = sizesByKind(segments)
  const bytesOf = (...kinds: string[]): number => kinds.reduce((sum, kind) => sum + (sizes.get(kind)?.bytes ?? 0), 0)
  const [codes, vectors] = [bytesOf('codes', 'codebook'), bytesOf('vectors')]
  return `${quantization}: ${formatByteSize(codes)} of codes beside ${formatByteSize(vectors)} of vectors`
}
