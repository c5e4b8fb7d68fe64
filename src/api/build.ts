/** What a build is asked for, and what it says while it runs. */
import type { FieldSchema } from './fields.js'
import type { Metric } from './vectors.js'
import type { EngineName, Quality, Quantization, StageName, MemorySample } from './report.js'

declare global {
  // The types of Node.js, or of a browser, say what it has. Where a program has neither, the name must still exist.
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface AbortSignal {}
}

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
  /** The hosts that work for the build, in the order of their names; absent in a build on one machine. */
  readonly hosts?: readonly HostProgress[]
}

/** A host of a build, at one moment. */
export interface HostProgress {
  /** Host name, process and a random part, as in the report. */
  readonly host: string
  /** Tasks that it runs. */
  readonly running: number
  /** Tasks that it finished. */
  readonly done: number
}

/** What pino, console and most loggers already are. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
}

/** Other hosts that run the tasks of a build, by way of BullMQ. The packages bullmq and ioredis must be installed. */
export interface ClusterOptions {
  /** Redis 6.2 or later: its URL, or the options of ioredis. */
  readonly connection: string | Readonly<Record<string, unknown>>
  /** A folder that all hosts see; the index, and `tempDir`, lie in it. */
  readonly sharedDir: string
  /** A task whose host says nothing for this long goes to another one. Default 30. */
  readonly lockSeconds?: number
}

export interface BuildOptions {
  // <generated options-build>
  /** The index directory; created when missing. */
  readonly path: string
  /** 'l2': squared Euclidean; 'cosine': 1 − cos; 'ip': −(inner product). Smaller is nearer in each. Default 'l2'. */
  readonly metric?: Metric
  /** Expected length of every vector, 1 to 65,536. Default: the first vector's. */
  readonly dimensions?: number
  /** Number of vectors to come, when known: a build that cannot fit is then refused before the first one is read. */
  readonly count?: number
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
   * What links the vectors of a shard; 'hnswlib-wasm', the reference, takes four times as long as 'pipnn'. Default
   * 'pipnn'.
   */
  readonly engine?: EngineName
  /**
   * What searches compare: the vectors ('f32'), or quantized vectors beside them: 'f16', 'sq8', 'pq', or 'binary', one
   * bit of each component, which needs metric 'cosine' and suits embeddings of 256 dimensions and more. Default 'f32'.
   */
  readonly quantization?: Quantization
  /**
   * Memory budget in bytes, or as text: '512MB' is 512 x 10^6, '2GiB' and '2G' are 2 x 2^30. Free memory is what the
   * machine or its cgroup has left. Default: the free memory.
   */
  readonly memory?: number | string
  /** Worker threads at most. Default: the cores. */
  readonly threads?: number
  /** Folder of temporary files. Default: build/ in the index. */
  readonly tempDir?: string
  /**
   * Other hosts that run the tasks of the build, `shardloom worker` on each: `{ connection: 'redis://host:6379',
   * sharedDir: '/mnt/shared' }`.
   */
  readonly cluster?: ClusterOptions
  /** Unsigned 32-bit integer. The same input, options and seed give the same bytes. Default 1. */
  readonly seed?: number
  /**
   * What to do with an id that is given twice: 'error'; take its 'first' or its 'last' vector; or 'keep' all: then an
   * id has several vectors, and searches find ids. Default 'error'.
   */
  readonly duplicates?: 'error' | 'first' | 'last' | 'keep'
  /**
   * What to do with NaN, infinity, a zero vector under cosine, or fields that are not as `fields` says: 'error', or
   * 'skip' and count it. Default 'error'.
   */
  readonly invalid?: 'error' | 'skip'
  /** Do not publish an index whose measured recall@10 (at ef 64) is below this, 0 to 1. */
  readonly minRecall?: number
  /** Old generations kept beside the live one. Default 1. */
  readonly keepGenerations?: number
  /**
   * Build into a folder that is no index and holds other files; otherwise it is refused. No file that is not of a build
   * is deleted or replaced in either case. Default false.
   */
  readonly force?: boolean
  /**
   * Keep finished work when a build is interrupted, and go on from it, for a source that is a function of `startAt`;
   * `false` starts afresh and keeps nothing. A plain iterable is never resumed. Default true.
   */
  readonly resume?: boolean
  /** Text that changes when the source does: a build is only resumed under the same one. */
  readonly sourceFingerprint?: string
  /**
   * Number of the last change of this index that the source has: later ones stay on top of the build. For a source that
   * is older than the build, such as a dump: `live.sequence` of the index before it was made. Default: the last one.
   */
  readonly liveSequence?: number
  /**
   * Fail when the source gives nothing, or a task no answer (it first runs once more), for this many seconds; 0 waits
   * for ever. Default 1800.
   */
  readonly stallSeconds?: number
  /**
   * Bytes of queues held in memory at most, as a number or text such as 64MB, where that is less than the plan gives; 0
   * sends everything through files. Default: by the plan.
   */
  readonly queueBytes?: number | string
  /** An `AbortSignal`; once it fires the call rejects with `SHARDLOOM_ABORTED`. */
  readonly signal?: AbortSignal
  /** Called about ten times a second at most, with the stage, what is done and the memory in use. */
  readonly onProgress?: (event: ProgressEvent) => void
  /** An object with the methods `info(message)` and `warn(message)`: `console` or pino. Default: silent. */
  readonly logger?: Logger
  // </generated>
}
