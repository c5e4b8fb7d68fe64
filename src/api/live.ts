/** Changing an index between two builds. */
import type { OpenOptions } from './search.js'
import type { Quality, Quantization } from './report.js'
import type { Metric } from './vectors.js'

/**
 * When a change is acknowledged. 'sync': when it is on the device; waiting calls share a sync. `{ everyMs }`: when it is in
 * the log, which is synced that often: a power cut loses what came since, a crash of the process nothing. 'none': as
 * before, and the system decides when it is on the device.
 */
export type Durability = 'sync' | 'none' | { readonly everyMs: number }

/** When a writer compacts by itself: shares of the rows of the last build. */
export interface CompactWhen {
  /** Dead rows. */
  readonly dead?: number
  /** Rows that were added or replaced. */
  readonly changed?: number
}

/** Something that a writer did or met on its own: a seal, a merge, a wait, a failure that it repeats. */
export interface LiveEvent {
  readonly kind:
    'sealed' | 'merged' | 'compacted' | 'took-over' | 'torn-log' | 'write-waits' | 'maintenance-failed' | 'low-recall'
  readonly message: string
}

export interface WriteOptions extends OpenOptions {
  readonly write: true
  /** Default 'sync'. */
  readonly durability?: Durability
  /** Changes in memory are sealed into a part after this many seconds at most. Default 300. */
  readonly maxAgeSeconds?: number
  /** Default: never by itself. */
  readonly compactWhen?: CompactWhen
  /** Worker threads of seals, merges and compactions. Default: the cores. */
  readonly buildThreads?: number
  readonly onEvent?: (event: LiveEvent) => void
}

export interface CreateOptions extends Omit<WriteOptions, 'write'> {
  readonly dimensions: number
  readonly metric?: Metric
  readonly m?: number
  readonly quality?: Quality | 'auto'
  readonly quantization?: Quantization
  readonly seed?: number
  /**
   * What an upsert does with an id that is given twice. Default 'last': takes its last vector. 'keep': an id may have
   * several vectors; an upsert replaces all of them, and searches find ids.
   */
  readonly duplicates?: 'last' | 'keep'
}

/** An acknowledged change. */
export interface Written {
  /** Vectors that were upserted, or ids that were deleted and were there. */
  readonly count: number
  /** The number of the last change: what is numbered up to it is as safe as `durability` says. */
  readonly sequence: number
}

/** What an index holds besides its last build. */
export interface LiveFacts {
  /** Sealed parts. */
  readonly parts: number
  /** Rows in sealed parts, dead ones too. */
  readonly partRows: number
  /** Rows in memory, which are in the log alone, dead ones too. */
  readonly memoryRows: number
  /** Rows of the last build, and those of them that were deleted or replaced. */
  readonly baseRows: number
  readonly deadRows: number
  /** Bytes of logs that a reopening reads. */
  readonly logBytes: number
  /** Of the last change. */
  readonly sequence: number
  /** Seals, merges and compactions since it was opened; how often writes waited for them, and how often they failed. */
  readonly seals: number
  readonly merges: number
  readonly compactions: number
  readonly waits: number
  readonly failures: number
}

/** Options of the build that a compaction is. What is not given is as the index was made. */
export interface CompactOptions {
  readonly memory?: number | string
  readonly threads?: number
  readonly tempDir?: string
  readonly keepGenerations?: number
  readonly minRecall?: number
  readonly quality?: Quality | 'auto'
  readonly quantization?: Quantization
}
