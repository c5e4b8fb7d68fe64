import type { Command } from 'commander'
import { readManifest } from '../../format/generation/read-manifest.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { readTunings } from '../../format/generation/tuning.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { countText, plural, tookText } from '../../report/number-text.js'
import type { CommonFlags, Session } from '../session.js'
import type { Tuning } from '../../api/measure.js'
import { tableLines } from '../screen/table-lines.js'
import { tuningText } from './tune-index.js'

const EXAMPLES = `
Reads the manifest and checks that its files are there with their sizes; shardloom verify checks every byte.

Examples:
  $ shardloom info articles.index
  $ shardloom info articles.index --json`

export interface FilesOfKind {
  readonly files: number
  readonly bytes: number
}

export function addInfoCommand(program: Command, session: Session): void {
  const command = program
    .command('info')
    .summary('say what an index is')
    .description('Says what the live generation of DIR holds, how it was built, and what it takes on disk.')
    .argument('<DIR>', 'the index directory')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: CommonFlags) => {
      const { manifest, directory } = await readManifest(path)
      const tuning = await readTunings(directory, manifest.generation)
      const { terminal } = session
      if (flags.json === true) terminal.printJson(infoOf(path, manifest, tuning))
      else for (const line of infoLines(path, manifest, tuning)) terminal.print(line)
    })
}

function infoOf(path: string, manifest: Manifest, tuning: readonly Tuning[]): object {
  const { segments, report, ...facts } = manifest
  const files = Object.fromEntries(sizesByKind(segments))
  return { path, ...facts, diskBytes: diskBytes(manifest), files, tuning, report }
}

/** Files and bytes of each kind, in the order in which the manifest lists them. */
export function sizesByKind(segments: Manifest['segments']): Map<string, FilesOfKind> {
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

/** Bytes of the vectors, and of the codes that searches read in their place. */
function quantizationText({ quantization, segments }: Manifest): string {
  const sizes = sizesByKind(segments)
  const bytesOf = (...kinds: string[]): number => kinds.reduce((sum, kind) => sum + (sizes.get(kind)?.bytes ?? 0), 0)
  if (quantization === 'f32') return quantization
  const [codes, vectors] = [bytesOf('codes', 'codebook'), bytesOf('vectors')]
  return `${quantization}: ${formatByteSize(codes)} of codes beside ${formatByteSize(vectors)} of vectors`
}

function infoLines(path: string, manifest: Manifest, tuning: readonly Tuning[]): string[] {
  const { report } = manifest
  const rows = [
    ['index', `${path} (${manifest.generation}, format ${manifest.formatVersion}, ${manifest.createdAt})`],
    ['vectors', countText(manifest.count)],
    ['dimensions', `${manifest.dimensions}, ${manifest.metric}`],
    ['quantization', quantizationText(manifest)],
    ['graph', `m ${manifest.m}, average degree ${report.averageDegree}, ${plural(manifest.levels, 'upper level')}`],
    ['built by', `${manifest.engine} (${report.quality}), seed ${manifest.seed}, ${plural(report.threads, 'thread')}`],
    ['built in', `${tookText(report.seconds)}, peak memory ${formatByteSize(report.peakRssBytes)}`],
    ['recall@10', `${report.recallAt10.toFixed(4)} (ef 64)`],
    ...tuning.map((one) => ['tuned', tuningText(one)]),
    ['reachable', `${countText(report.reachable)} (${countText(report.repaired)} repaired)`],
    ['skipped', countText(report.skipped)],
    ['on disk', formatByteSize(diskBytes(manifest))],
  ]
  const sizes = [...sizesByKind(manifest.segments)].map(([kind, { files, bytes }]) => [
    `  ${kind}`,
    formatByteSize(bytes),
    plural(files, 'file'),
  ])
  return [...tableLines(rows), ...tableLines(sizes, [1])]
}
