/** What an interrupted build of the same index left, and what this build records for the next one. */
import { PathError, RecallTooLowError, ShardloomError, SourceError, UnreachableNodesError } from '../../errors.js'
import type { IngestEntry, Journal, ReadJournal, RoutingEntry, SegmentEntry, ShardEntry } from './journal.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'

/** Finished units according to the journal. They are checked before they are used. */
export interface FinishedWork {
  readonly startedAt: string
  /** Oldest first. The newest one whose files are complete counts. */
  readonly ingest: readonly IngestEntry[]
  readonly routing: RoutingEntry | undefined
  readonly shards: ReadonlyMap<number, ShardEntry>
  readonly segments: ReadonlyMap<number, SegmentEntry>
}

/** What this build reused: `report.resumed`. */
export interface ReusedWork {
  vectors: number
  shards: number
  segments: number
}

/** The part of a build's context that makes it resumable; a build of a plain iterable has none. */
export interface Resume {
  readonly journal: Journal
  /** Undefined when this build started from the beginning. */
  readonly finished: FinishedWork | undefined
  readonly reused: ReusedWork
}

export function finishedWork({ begin, entries }: ReadJournal): FinishedWork {
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

/**
 * Whether the same build may get further when it is started again. It does not when its input is bad, its files are
 * damaged, or its proof failed.
 */
export function canGoOnAfter(failure: unknown): boolean {
  if (!(failure instanceof ShardloomError)) return true
  if (failure instanceof SourceError || failure instanceof PathError) return true
  if (failure instanceof RecallTooLowError || failure instanceof UnreachableNodesError) return false
  return failure.kind !== 'input' && failure.kind !== 'corrupt'
}

/** The options that determine the bytes or the content of an index, in the form that the journal stores. */
export function optionsThatDecide(options: ResolvedOptions): string {
  const { metric, dimensions, m, quality, engine, quantization, seed, duplicates, invalid, fields } = options
  return JSON.stringify({ metric, dimensions, m, quality, engine, quantization, seed, duplicates, invalid, fields })
}
