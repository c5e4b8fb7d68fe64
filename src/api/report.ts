/** What a build says of itself when it has ended. */
import type { RecallInterval } from './measure.js'
import type { Metric } from './vectors.js'

export type EngineName = 'pipnn' | 'hnswlib-wasm'

export const ENGINE_NAMES = ['pipnn', 'hnswlib-wasm'] as const satisfies readonly EngineName[]

export type Quality = 'balanced' | 'high'

/**
 * What a search compares while it walks the graph: the vectors themselves (f32), or a compact code of each: half precision
 * (f16), 8 bits a component (sq8), one byte for about 4 components (pq), or one bit a component (binary, cosine only). The
 * f32 vectors are kept beside the codes, and the best candidates are scored again on them.
 */
export type Quantization = 'f32' | 'f16' | 'sq8' | 'pq' | 'binary'

export const QUANTIZATIONS = ['f32', 'f16', 'sq8', 'pq', 'binary'] as const satisfies readonly Quantization[]

/**
 * The stages of a build, in order; 'fields' only with fields, 'quantize' unless the quantization is f32. 'import' is the
 * stage of an import.
 */
export type StageName =
  | 'plan'
  | 'ingest'
  | 'route'
  | 'assign nodes'
  | 'fields'
  | 'shards'
  | 'merge'
  | 'upper levels'
  | 'quantize'
  | 'prove'
  | 'publish'
  | 'import'

export interface StageReport {
  readonly name: StageName
  /** When it began, in seconds since the build did; absent in older reports. */
  readonly atSeconds?: number
  readonly seconds: number
  /** Highest RSS sampled while the stage ran. */
  readonly peakRssBytes: number
}

/** A host that worked for a build, or wanted to. */
export interface HostReport {
  /** Host name, process and a random part. */
  readonly host: string
  readonly threads: number
  /** Tasks whose results were used. */
  readonly tasks: number
  /** Time of its threads in them. */
  readonly busySeconds: number
  /** Tasks it took and did not finish, because it died, was too slow or failed. */
  readonly lostTasks: number
  readonly peakRssBytes: number
  readonly memoryBytes: number
  /** Why it took no tasks; absent for one that did. */
  readonly refused?: string
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

export interface FieldsReport {
  /** Number of fields. */
  readonly count: number
  /** Bytes of all field rows, those of left out vectors too. */
  readonly bytes: number
}

export interface BuildReport {
  /** Vectors in the index. */
  readonly count: number
  /** Vectors left out, in all; `count + skipped` came in. */
  readonly skipped: number
  /** Vectors left out under `invalid: 'skip'`. */
  readonly skippedInvalid: number
  /** Vectors left out under `duplicates: 'first'` or `'last'`. */
  readonly skippedDuplicates: number
  /** Different ids under `duplicates: 'keep'`, where one may have several vectors; else absent. */
  readonly distinctIds?: number
  /** Fields of records, and their bytes as encoded; absent without fields. */
  readonly fields?: FieldsReport
  /** Length of every vector. */
  readonly dimensions: number
  /** What distance means in this index. */
  readonly metric: Metric
  /** The engine that linked the vectors; 'hnswlib-import': another program did. */
  readonly engine: EngineName | 'hnswlib-import'
  /** The quality of the build, which `quality: 'auto'` may have chosen; 'imported' for an import. */
  readonly quality: Quality | 'imported'
  /** Recall@10 at ef 64 that the trial of `quality` on sampled vectors had; absent without a trial. */
  readonly trialRecall?: number
  /** What searches compare. */
  readonly quantization: Quantization
  /** Links per node on levels above 0; level 0 holds up to 2m. */
  readonly m: number
  /** The seed of all random choices. */
  readonly seed: number
  /** Worker threads that the plan settled on. */
  readonly threads: number
  /** The memory budget. */
  readonly memoryBytes: number
  /** Shards that the vectors were cut into; 0 for an import. */
  readonly shards: number
  /** Shards that came out larger than planned and were split; `shards` counts their parts. */
  readonly splitShards: number
  /** Duration of the whole build. */
  readonly seconds: number
  /** Duration and peak memory of each stage. */
  readonly stages: readonly StageReport[]
  /** Time of all worker threads together, their time in the distance tile, and which tile; absent in older reports. */
  readonly workers: { readonly busySeconds: number; readonly tileSeconds: number; readonly tile?: '4x8' | '4x16' }
  /** The hosts of a build on many machines; absent in a build on one. */
  readonly hosts?: readonly HostReport[]
  /** Highest resident memory of the process, sampled every 250 ms. */
  readonly peakRssBytes: number
  /** How often each level of pressure was reached; RSS, queues and spill over time. */
  readonly memory: MemoryReport
  /** Bytes that queues wrote to temporary files. */
  readonly spilledBytes: number
  /**
   * Those of them that stayed in memory as well, and were written only so that the build can be resumed; absent in older
   * reports.
   */
  readonly resumeBytes?: number
  /** Bytes of the published generation. */
  readonly diskBytes: number
  /** Nodes reachable from the entry point; always `count` in a published index. */
  readonly reachable: number
  /** Nodes that were unreachable and were linked by the proof. */
  readonly repaired: number
  /** Recall@10 of 200 sampled vectors at ef 64 against exact search, each left out of its own neighbours. */
  readonly recallAt10: number
  /** The 95% interval of recallAt10: 200 queries are a sample; absent in older reports. */
  readonly recallInterval?: RecallInterval
  /** Share of those vectors that found themselves, or a copy; absent for 'ip' and in older reports. */
  readonly selfRecall?: number
  /** Links per node on level 0. */
  readonly averageDegree: number
  /** Histograms of shard sizes and of links per node, and the nodes on each level; absent in older reports. */
  readonly graph?: GraphReport
  /** Name of the published generation. */
  readonly generation: string
  /** The index directory, absolute. */
  readonly path: string
  /** Fewer threads, split shards, retries, skipped vectors and other notes. */
  readonly events: readonly BuildEvent[]
  /** Work reused from an interrupted build; absent when there was none. */
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
