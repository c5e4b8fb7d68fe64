/** What an earlier, interrupted build of the same index left, and what this one writes down for the next. */
import { PathError, RecallTooLowError, ShardloomError, SourceError } from '../errors.js'
import { crc32 } from '../format/crc32.js'
import type { BuildContext } from './build-context.js'
import type { IngestEntry, Journal, ReadJournal, RoutingEntry, SegmentEntry, ShardEntry } from './journal.js'
import type { CodeSpec } from './code-spec.js'
import type { NumberedLayer, RoutedLayer } from './layer.js'
import type { ResolvedOptions } from './resolve-options.js'
import type { Quality } from '../types.js'

/** Finished units, by what the journal says. They are checked before they are used. */
export interface FinishedUnits {
  readonly startedAt: string
  /** Oldest first; the newest whose files are whole counts. */
  readonly ingest: readonly IngestEntry[]
  readonly routing: RoutingEntry | undefined
  readonly shards: ReadonlyMap<number, ShardEntry>
  readonly segments: ReadonlyMap<number, SegmentEntry>
}

/** What was taken over: `report.resumed`. */
export interface TakenOver {
  vectors: number
  shards: number
  segments: number
}

/** The part of a build's context that makes it resumable; a build of a plain iterable has none. */
export interface Resume {
  readonly journal: Journal
  /** Undefined when this build began afresh. */
  readonly finished: FinishedUnits | undefined
  readonly takenOver: TakenOver
}

export function finishedUnits({ begin, entries }: ReadJournal): FinishedUnits {
  const ingest: IngestEntry[] = []
  let routing: RoutingEntry | undefined
  const shards = new Map<number, ShardEntry>()
  const segments = new Map<number, SegmentEntry>()
  for (const entry of entries) {
    if (entry.kind === 'ingest') ingest.push(entry)
    else if (entry.kind === 'shard') shards.set(entry.shard, entry)
    else if (entry.kind === 'segment') segments.set(entry.segment, entry)
    else if (entry.digest !== routing?.digest) {
      routing = entry
      shards.clear()
      segments.clear()
    }
  }
  return { startedAt: begin.startedAt, ingest, routing, shards, segments }
}

const BAD_INPUT_EXIT_CODE = 2
const CORRUPT_EXIT_CODE = 4

/**
 * Whether the same build, begun again, may get further: not when its input is bad, what it wrote is damaged, or it found
 * its own result wanting.
 */
export function canGoOnAfter(failure: unknown): boolean {
  if (!(failure instanceof ShardloomError)) return true
  if (failure instanceof SourceError || failure instanceof PathError) return true
  if (failure instanceof RecallTooLowError || failure.code === 'SHARDLOOM_UNREACHABLE') return false
  return failure.exitCode !== BAD_INPUT_EXIT_CODE && failure.exitCode !== CORRUPT_EXIT_CODE
}

/** The options that decide the bytes of an index, or what is in it, as the journal keeps them. */
export function optionsThatDecide(options: ResolvedOptions): string {
  const { metric, dimensions, m, quality, engine, storage, seed, duplicates, invalid } = options
  return JSON.stringify({ metric, dimensions, m, quality, engine, storage, seed, duplicates, invalid })
}

/**
 * Stands for where every vector goes and how shards are built. Leaders, codes and numbers are computed again by a build
 * that goes on; when this agrees, finished shards and segments are what this build would make.
 */
export function routingDigest(routed: RoutedLayer, numbered: NumberedLayer, spec: CodeSpec, quality: Quality): number {
  const { mean, ...rest } = spec
  let crc = crc32(Buffer.from(JSON.stringify({ ...rest, quality, overlap: routed.layer.geometry.overlap })))
  const { layout, nodeOfOrdinal } = numbered
  for (const words of [mean, routed.homeCounts, routed.replicaCounts, layout.starts, layout.shardStarts, nodeOfOrdinal])
    crc = crc32(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), crc)
  return crc
}

/** Finished shards and segments of the base layer, when they are of this routing; and where new ones are noted. */
export interface UnitLog {
  readonly shards: ReadonlyMap<number, ShardEntry>
  readonly segments: ReadonlyMap<number, SegmentEntry>
  readonly takenOver: TakenOver
  /** A unit that the journal has turned out not to be whole, and is made again. */
  notWhole(what: string): void
  note(entry: ShardEntry | SegmentEntry, files: readonly string[]): void
}

const NONE = new Map<number, never>()

export function openUnitLog(context: BuildContext, digestOf: () => number): UnitLog | undefined {
  const { resume, paths, log } = context
  if (resume === undefined) return undefined
  const { journal, finished, takenOver } = resume
  const digest = digestOf()
  const same = finished?.routing?.digest === digest
  const counted = (finished?.shards.size ?? 0) + (finished?.segments.size ?? 0)
  if (!same) {
    if (counted > 0) {
      log.event(
        'resume-partly',
        `${counted} finished shards and segments are made again: this build divides the vectors in another way than the ` +
          `interrupted one did, which had more or less memory`,
      )
    }
    journal.append({ kind: 'routing', digest }, [])
  }
  return {
    shards: same ? finished.shards : NONE,
    segments: same ? finished.segments : NONE,
    takenOver,
    notWhole: (what) => log.event('resume-partly', `${what} is made again: its files are not what was written`),
    note: (entry, files) => journal.append(entry, files, [paths.spillDir, paths.generationDir]),
  }
}
