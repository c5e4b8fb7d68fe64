/** Changing an index between two builds. */
import type { FieldSchema } from './fields.js'
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
  /** Open it for changes too: one writer at a time, while others read. */
  readonly write: true
  // <generated options-writer>
  /**
   * When a change is acknowledged: 'sync', once it is on the device; `{ everyMs }`, once it is in the log, which is
   * synced that often; 'none', once it is in the log, which the system syncs when it likes. Default 'sync'.
   */
  readonly durability?: Durability
  /** Changes in memory are sealed after this many seconds at most. Default 300. */
  readonly maxAgeSeconds?: number
  /**
   * Shares of the last build that start a compaction: `dead` rows, and `changed` ones, which were added or replaced.
   * Default: never.
   */
  readonly compactWhen?: CompactWhen
  /** Worker threads of a compaction at most. Default: the cores. */
  readonly buildThreads?: number
  /** Called for seals, merges, compactions, waits, and failures that are tried again. */
  readonly onEvent?: (event: LiveEvent) => void
  // </generated>
}

export interface CreateOptions extends Omit<WriteOptions, 'write'> {
  // <generated options-settings>
  /** Length of every vector, 1 to 65,536. */
  readonly dimensions: number
  /** 'l2': squared Euclidean; 'cosine': 1 − cos; 'ip': −(inner product). Smaller is nearer in each. Default 'l2'. */
  readonly metric?: Metric
  /**
   * Names and types of what records have beside their vectors, to filter by, to find words in, and to get back: `{
   * category: 'keyword', title: 'text' }`.
   */
  readonly fields?: FieldSchema
  /** Links per node on levels above 0, 4 to 64; level 0 holds up to 2m. Default 16. */
  readonly m?: number
  /**
   * 'high' makes a better graph in a longer build than 'balanced'; 'auto' tries 'balanced' on a sample, and takes
   * 'high' when its recall is too low. Default 'auto'.
   */
  readonly quality?: Quality | 'auto'
  /**
   * What searches compare: the vectors ('f32'), or quantized vectors beside them: 'f16', 'sq8', 'pq', or 'binary', one
   * bit of each component, which needs metric 'cosine' and suits embeddings of 256 dimensions and more. Default 'f32'.
   */
  readonly quantization?: Quantization
  /** Unsigned 32-bit integer. The same input, options and seed give the same bytes. Default 1. */
  readonly seed?: number
  /**
   * What an upsert does with an id that is given twice: take its 'last' vector, or 'keep' all: then an id has several
   * vectors, an upsert replaces all of them, and searches find ids. Default 'last'.
   */
  readonly duplicates?: 'last' | 'keep'
  // </generated>
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
  /** Bytes of the newest log. A reopening reads it, and older ones whose changes are not in sealed parts yet. */
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
  // <generated options-compact>
  /**
   * Memory budget in bytes, or as text: '512MB' is 512 x 10^6, '2GiB' and '2G' are 2 x 2^30. Free memory is what the
   * machine or its cgroup has left. Default: the free memory.
   */
  readonly memory?: number | string
  /** Worker threads at most. Default: the cores. */
  readonly threads?: number
  /** Folder of temporary files. Default: build/ in the index. */
  readonly tempDir?: string
  /** Do not publish an index whose measured recall@10 (at ef 64) is below this, 0 to 1. */
  readonly minRecall?: number
  /** Old generations kept beside the live one. Default 1. */
  readonly keepGenerations?: number
  /** 'balanced', 'high', or 'auto', which tries 'balanced' on a sample. Default: as the index was made. */
  readonly quality?: Quality | 'auto'
  /**
   * What searches compare: the vectors ('f32'), or quantized vectors beside them: 'f16', 'sq8', 'pq', or 'binary', one
   * bit of each component, which needs metric 'cosine' and suits embeddings of 256 dimensions and more. Default: as the
   * index was made.
   */
  readonly quantization?: Quantization
  // </generated>
}
