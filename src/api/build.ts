/** What a build is asked for, and what it says while it runs. */
import type { Metric } from './vectors.js'
import type { EngineName, Quality, Quantization, StageName, MemorySample } from './report.js'

export interface ProgressEvent {
  readonly stage: StageName
  /** Units finished and units in all (vectors, shards or segments: `unit`); `total` is unknown for an open stream. */
  readonly done: number
  readonly total: number | undefined
  readonly unit: string
  /** Units per second since the stage began. */
  readonly rate: number
  readonly etaSeconds: number | undefined
  readonly elapsedSeconds: number
  readonly rssBytes: number
  readonly budgetBytes: number
  readonly spilledBytes: number
  /** Of memory: from 75, 90 and 95% of the budget on, and as long as it does not fall well below. */
  readonly pressure: MemorySample['pressure']
}

/** What pino, console and most loggers already are. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
}

export interface BuildOptions {
  /** The index directory; created when missing. */
  readonly path: string
  readonly metric?: Metric
  /** Expected length of every vector; taken from the first one when absent. */
  readonly dimensions?: number
  /** Vectors to come, when known: lets the plan refuse before reading anything. */
  readonly count?: number
  /** Links per node on levels ≥ 1; level 0 holds up to 2m. 4 to 64. Default 16. */
  readonly m?: number
  /** 'auto', the default, tries 'balanced' on a sample and takes 'high' when that finds too little. */
  readonly quality?: Quality | 'auto'
  readonly engine?: EngineName
  /** What searches compare: the vectors, or compact codes of them. 'binary' needs metric cosine. Default 'f32'. */
  readonly quantization?: Quantization
  /** Budget in bytes, or '2GB', '512MiB', … Default: what the machine or its cgroup leaves. */
  readonly memory?: number | string
  /** Worker threads at most. Default: the cores. */
  readonly threads?: number
  /** Where spill files go. Default: `build/` in the index directory. */
  readonly tempDir?: string
  /** Unsigned 32-bit. The same input, options and seed give the same bytes. Default 1. */
  readonly seed?: number
  readonly duplicates?: 'error' | 'first' | 'last'
  readonly invalid?: 'error' | 'skip'
  /** Refuse to publish below this measured recall@10 (ef 64). */
  readonly minRecall?: number
  /** Old generations to keep beside the live one. Default 1. */
  readonly keepGenerations?: number
  /**
   * Keep what is finished when a build is interrupted, and go on from it. Default true, for a source that is a function
   * of `startAt`; false starts afresh and keeps nothing. A plain iterable is never resumed.
   */
  readonly resume?: boolean
  /** Changes when the source does: a build is only resumed when it is the same. Default: the source is taken to be the same. */
  readonly sourceFingerprint?: string
  /**
   * How long the source may give nothing, or a task of a worker thread may run, before it is taken to hang. Default
   * 1800; 0 waits for ever.
   */
  readonly stallSeconds?: number
  /** Bytes of queue batches held in memory, or '64MB', below what the plan would give. For tests and for tuning. */
  readonly queueBytes?: number | string
  readonly signal?: AbortSignal
  readonly onProgress?: (event: ProgressEvent) => void
  readonly logger?: Logger
}
