/**
 * How a stage reports the memory it needs to the plan. Each stage has such a function next to the code that takes the
 * memory; the plan adds them up.
 */
import type { Quantization, StageName } from '../api/report.js'
import type { EngineFacts, ShardGeometry } from './shard-geometry.js'

/** The sizes of a build that determine the memory of its stages. Bytes unless the name says otherwise. */
export interface BuildSizes {
  readonly count: number
  readonly dimensions: number
  readonly m: number
  readonly gridDims: number
  /** A float32 vector. */
  readonly vectorBytes: number
  /** Its row on the grid. */
  readonly gridRowBytes: number
  /** An average id as stored; 0 when ids are the ordinals. */
  readonly idBytes: number
  /** The encoded fields of an average record; 0 in a build without fields. */
  readonly fieldBytes: number
  readonly quantization: Quantization
  readonly engine: EngineFacts
  readonly geometry: ShardGeometry
}

/** What one stage needs. Bytes. */
export interface StageMemory {
  /** On the coordinator, for any number of threads. */
  readonly held: number
  /** Shared by all tasks, and not released when the stage ends. */
  readonly shared?: number
  /** In each worker thread; absent for a stage without tasks. */
  readonly task?: number
  /** Tasks have read buffers, which are counted in addition. */
  readonly readsFiles?: boolean
  /** In one thread only, beyond `task`. */
  readonly once?: number
  /** The largest output of a task, for a stage that takes output buffers. */
  readonly output?: number
  /** Queues hold batches while the stage runs. */
  readonly usesQueues?: boolean
  /** The grid rows of all nodes are held while the stage runs. */
  readonly usesGrid?: boolean
  /** Tasks use the memory that threads took for earlier stages. */
  readonly reusesThreads?: boolean
  /** Used only when there is room; the stage then needs less time. */
  readonly ifRoom?: number
  /** What the stage may leave in temporary files. */
  readonly spills?: number
}

/** The stages that the plan has to make room for. */
export type PlannedStage = Extract<
  StageName,
  'ingest' | 'route' | 'fields' | 'shards' | 'merge' | 'upper levels' | 'quantize' | 'prove'
>

/** Undefined when the build has no such stage. */
export type StageMemoryOf = (sizes: BuildSizes) => StageMemory | undefined

/** In the order of the stages. */
export type StageMemories = ReadonlyMap<PlannedStage, StageMemoryOf>

/** Node by ordinal, which every stage from route on holds. */
export function nodeByOrdinalBytes({ count }: Pick<BuildSizes, 'count'>): number {
  return 4 * count
}

/** The levels above 0: one node in m, its links and two numbers. */
export function upperLevelBytes({ count, m }: Pick<BuildSizes, 'count' | 'm'>): number {
  return (count / m) * 4 * (m + 3)
}
