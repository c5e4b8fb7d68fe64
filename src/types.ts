/** The public vocabulary: what callers pass in and get back. Types only; nothing here runs. */
import type { NodeSet } from './search/node-set.js'

/** l2: squared Euclidean. cosine: 1 − cos. ip: −(inner product). Smaller is nearer for each. */
export type Metric = 'l2' | 'cosine' | 'ip'
export type EngineName = 'pipnn' | 'hnswlib-wasm'
export type Quality = 'balanced' | 'high'
/**
 * What a search compares while it walks the graph: the vectors themselves (f32), or a compact code of each: half precision
 * (f16), 8 bits a component (sq8), one byte for about 4 components (pq), or one bit a component (binary, cosine only). The
 * f32 vectors are kept beside the codes, and the best candidates are scored again on them.
 */
export type Storage = 'f32' | 'f16' | 'sq8' | 'pq' | 'binary'
export type Id = string | number

/** Anything a row of numbers can be. Values are read as float32. */
export type VectorLike = Float32Array | Float64Array | Int8Array | Uint8Array | readonly number[]

/** One vector. `id` defaults to the ordinal (position in the stream); given for one record, it must be for all. */
export interface VectorRecord {
  readonly id?: Id
  readonly vector: VectorLike
}

/** Row-major rows: `vectors.length = rows x dimensions`. The fast path: no object per vector. */
export interface VectorBatch {
  readonly ids?: readonly Id[]
  readonly vectors: Float32Array
  readonly dimensions: number
}

export type SourceItem = VectorRecord | VectorBatch

/** Any iterable of records or batches: an array, a generator, a Node Readable in object mode, a web ReadableStream. */
export type VectorSource = AsyncIterable<SourceItem> | Iterable<SourceItem>

/**
 * A source that can be read again from any ordinal on: the build can then be resumed. `startAt` is how many records to
 * leave out; the others must be the same as before, in the same order.
 */
export type ResumableSource = (startAt: number) => VectorSource

/** What a source knows before its first record. */
export interface SourceFacts {
  readonly count?: number
  readonly dimensions?: number
  /** Changes when the source does; undefined when it can be read only once. */
  readonly fingerprint?: string
}

/** A source that says what it knows of itself: options of the build that are not given are taken from it. */
export interface DescribedSource extends ResumableSource {
  facts(): Promise<SourceFacts>
}

/** The stages of DESIGN section 2, in order; 'codes' unless the storage is f32; 'import' is an import's. */
export type StageName =
  | 'plan'
  | 'ingest'
  | 'route'
  | 'number'
  | 'shards'
  | 'merge'
  | 'upper levels'
  | 'codes'
  | 'prove'
  | 'publish'
  | 'import'

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
  readonly storage?: Storage
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

export interface StageReport {
  readonly name: StageName
  /** When it began, in seconds since the build did; absent in older reports. */
  readonly atSeconds?: number
  readonly seconds: number
  /** Highest RSS sampled while the stage ran. */
  readonly peakRssBytes: number
}

/** Something that happened and that a reader of the report should know: a fallback, a skip, a retry, a clamp. */
export interface BuildEvent {
  readonly kind: string
  readonly stage: StageName
  readonly message: string
  readonly atSeconds: number
}

/** What was in use at one moment of a build. Bytes. */
export interface MemorySample {
  readonly atSeconds: number
  readonly stage: StageName
  readonly rssBytes: number
  /** What the process's memory cgroup holds and cannot take back; absent without a limit. */
  readonly cgroupBytes?: number
  /** Batches that queues held in memory. */
  readonly queueBytes: number
  /** Written to spill files so far. */
  readonly spilledBytes: number
  /** Of those that the stage works on; absent while it counts none, and in older reports. */
  readonly vectorsDone?: number
  readonly pressure: 'normal' | 'elevated' | 'high' | 'critical'
}

export interface MemoryReport {
  /** How often each level was risen to (75, 90 and 95% of the budget), and how often reading waited. */
  readonly pressure: {
    readonly elevated: number
    readonly high: number
    readonly critical: number
    readonly ingestPauses: number
  }
  /** Four samples a second; of builds longer than a minute at most 256, evenly spread. */
  readonly timeline: readonly MemorySample[]
}

/** How many of some whole numbers lie in each of equally wide ranges. */
export interface Histogram {
  /** Bucket i counts the numbers from `from + i x width` up to, not including, `from + (i + 1) x width`. */
  readonly from: number
  readonly width: number
  /** Some dozens at most, however many numbers there are. */
  readonly counts: readonly number[]
  readonly least: number
  readonly most: number
}

/** The finished graph in a few hundred numbers. */
export interface GraphReport {
  /** Members of each shard, homes and replicas; absent for an import, which has no shards. */
  readonly shardSizes?: Histogram
  /** Links of each node on level 0, as published. */
  readonly degrees: Histogram
  /** Nodes on each level, from 0 on. */
  readonly levels: readonly number[]
}

export interface BuildReport {
  /** Vectors in the index. */
  readonly count: number
  /** Vectors left out: invalid ones under `invalid: 'skip'`, repeated ids under `duplicates: 'first' | 'last'`. */
  readonly skipped: number
  readonly skippedInvalid: number
  readonly skippedDuplicates: number
  readonly dimensions: number
  readonly metric: Metric
  /** What linked the vectors; 'hnswlib-import': another program did. */
  readonly engine: EngineName | 'hnswlib-import'
  /** What the index was built with; `quality: 'auto'` chose it. 'imported': nothing was. */
  readonly quality: Quality | 'imported'
  /** Recall@10 at ef 64 of the trial that 'auto' made on sampled vectors; absent when it made none. */
  readonly trialRecall?: number
  /** What searches compare. */
  readonly storage: Storage
  readonly m: number
  readonly seed: number
  readonly threads: number
  readonly memoryBytes: number
  readonly shards: number
  /** Shards that came out larger than the plan has room for and were split; `shards` counts their parts. */
  readonly splitShards: number
  readonly seconds: number
  readonly stages: readonly StageReport[]
  /** Time of all workers together, and the part of it that went to the distance kernel: the rest is what could be saved. */
  readonly workers: { readonly busySeconds: number; readonly tileSeconds: number }
  readonly peakRssBytes: number
  readonly memory: MemoryReport
  /** Bytes that queues wrote to temp files. */
  readonly spilledBytes: number
  /** Bytes of the published generation. */
  readonly diskBytes: number
  /** Nodes reachable from the entry point; always `count` in a published index. */
  readonly reachable: number
  /** Nodes that were unreachable and had to be linked. */
  readonly repaired: number
  /** Measured on sampled vectors against exact search, ef 64, the vector itself left out. */
  readonly recallAt10: number
  readonly averageDegree: number
  /** Shard sizes, degrees and levels; absent in older reports. */
  readonly graph?: GraphReport
  readonly generation: string
  readonly path: string
  readonly events: readonly BuildEvent[]
  /** What was taken over from an interrupted build; absent when nothing was. */
  readonly resumed?: ResumedReport
}

export interface ResumedReport {
  /** When the interrupted build began, ISO 8601. */
  readonly startedAt: string
  /** Records of the source that were not asked for again. */
  readonly vectors: number
  /** Shards and links segments that were not made again. */
  readonly shards: number
  readonly segments: number
}

export interface OpenOptions {
  /**
   * What the index may hold in memory, in bytes or as '512MB', '2GiB'. Default: what the machine or its cgroup leaves. All
   * of the index stays in memory once read when it fits, 4 GiB of it at most; else pages come and go.
   */
  readonly memory?: number | string
  /**
   * Worker threads that `searchBatch` uses. They share the index, which is then read whole at once, and must fit `memory`.
   * Default 1: the calling thread.
   */
  readonly threads?: number
  /** Read everything now, instead of when a search comes to it. Default false. */
  readonly preload?: boolean
}

export interface SearchOptions {
  /** Neighbours wanted. Default 10. */
  readonly k?: number
  /** Beam width at level 0; at least k is used. Default: what `tune` chose for this k, or the next larger one; else 64. */
  readonly ef?: number
  /**
   * How many of the best by their codes are scored again on their vectors, where the index has codes; at least k. The beam
   * is never narrower. Default: 2k for f16 and sq8; for pq and binary all of the beam, 5k and 10k at least. Distances are
   * always those of the vectors.
   */
  readonly rerank?: number
  /**
   * Which vectors may be found: a set that `index.select` made, or a function of the id, which is asked for many ids in every
   * search. k are found when k are kept.
   */
  readonly filter?: NodeSet | ((id: Id) => boolean)
}

/** A vector of the index, and its id as it was given. */
export interface StoredVector {
  readonly id: Id
  /** A copy; of unit length for cosine. */
  readonly vector: Float32Array
}

export interface SearchHit {
  readonly id: Id
  /** In the index's metric: squared l2, 1 − cos, or −ip. */
  readonly distance: number
}

/** Which queries recall is measured with, and how the work is watched. */
export interface MeasureOptions {
  /** Neighbours of each query. Default 10. */
  readonly k?: number
  /**
   * Vectors of the index that are taken as queries, spread over all nodes; each is left out of its own neighbours. Default
   * 500. They are easier to find than queries that are not in the index: prefer `queries`.
   */
  readonly sample?: number
  /** Queries of your own: vectors, or row-major rows in one Float32Array. */
  readonly queries?: readonly VectorLike[] | Float32Array
  /** Decides what is sampled. Unsigned 32-bit. Default 1. */
  readonly seed?: number
  readonly signal?: AbortSignal
  /** Called at most about ten times a second. */
  readonly onProgress?: (progress: MeasureProgress) => void
}

export interface MeasureProgress {
  /** 'exact': all vectors are compared with all queries. 'search': the queries are searched with `ef`. */
  readonly stage: 'exact' | 'search'
  /** Only of stage 'search'. */
  readonly ef?: number
  /** Vectors that were compared, or queries that were searched. */
  readonly done: number
  readonly total: number
}

export interface RecallOptions extends MeasureOptions {
  /** Beam widths to measure. Default: six, from max(16, k) on, each twice the one before. */
  readonly ef?: readonly number[]
  /** As in a search. */
  readonly rerank?: number
}

/** One beam width, measured on one thread. */
export interface RecallPoint {
  readonly ef: number
  /** Share of the exact k neighbours that a search finds, 0 to 1. */
  readonly recall: number
  readonly queriesPerSecond: number
  /** Median time of one search, in milliseconds. */
  readonly p50Ms: number
}

export interface RecallCurve {
  readonly generation: string
  readonly k: number
  /** How many were searched. */
  readonly queries: number
  /** 'sampled': vectors of the index, the easier ones. 'given': the caller's. */
  readonly source: 'sampled' | 'given'
  /** By ascending ef. */
  readonly points: readonly RecallPoint[]
}

export interface TuneOptions extends MeasureOptions {
  /** What recall@k must be, more than 0 and up to 1. */
  readonly recall: number
  /** Keep the choice with the index: searches without `ef` use it from then on. Default true. */
  readonly store?: boolean
}

/** A choice of ef. An index keeps one for each k, the one made last. */
export interface Tuning {
  readonly k: number
  /** What was asked for. */
  readonly targetRecall: number
  /** The smallest of those tried that reached it. */
  readonly ef: number
  /** What was measured at this ef. */
  readonly recall: number
  readonly queries: number
  readonly source: 'sampled' | 'given'
  /** ISO 8601, UTC. */
  readonly tunedAt: string
}

export interface TuneResult extends Tuning {
  /** False when no ef up to 4096 (or k) reached it: `ef` and `recall` are then the best there were, and nothing is stored. */
  readonly reached: boolean
  readonly stored: boolean
  readonly generation: string
  /** All that was tried, by ascending ef. */
  readonly points: readonly RecallPoint[]
}
