/** What a build says of itself when it has ended. */
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

/** The stages of a build, in order; 'quantize' unless the quantization is f32. 'import' is the stage of an import. */
export type StageName =
  | 'plan'
  | 'ingest'
  | 'route'
  | 'assign nodes'
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
  /** Vectors left out as invalid. */
  readonly skippedInvalid: number
  /** Vectors left out for a repeated id. */
  readonly skippedDuplicates: number
  /** Length of every vector. */
  readonly dimensions: number
  /** What distance means in this index. */
  readonly metric: Metric
  /** What linked the vectors; 'hnswlib-import': another program did. */
  readonly engine: EngineName | 'hnswlib-import'
  /** What the index was built with; `quality: 'auto'` chose it. 'imported': nothing was. */
  readonly quality: Quality | 'imported'
  /** Recall@10 at ef 64 of the trial that 'auto' made on sampled vectors; absent when it made none. */
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
  /** Shards that came out larger than the plan has room for and were split; `shards` counts their parts. */
  readonly splitShards: number
  /** Duration of the whole build. */
  readonly seconds: number
  /** Duration and peak memory of each stage. */
  readonly stages: readonly StageReport[]
  /** Time of all workers together, and the part of it that went to the distance kernel: the rest is what could be saved. */
  readonly workers: { readonly busySeconds: number; readonly tileSeconds: number }
  /** Highest resident memory of the process, sampled every 250 ms. */
  readonly peakRssBytes: number
  /** Memory over time, and how often it came under pressure. */
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
  /** Links per node on level 0. */
  readonly averageDegree: number
  /** Shard sizes, degrees and levels; absent in older reports. */
  readonly graph?: GraphReport
  /** Name of the published generation. */
  readonly generation: string
  /** The index directory, absolute. */
  readonly path: string
  /** Fallbacks, retries, skipped vectors and other things worth knowing. */
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
