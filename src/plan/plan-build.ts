import type { Quantization, StageName } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { InsufficientMemoryError } from '../errors.js'
import { quantizedShape } from '../format/graph/quantized-shape.js'
import { gridDimensions, shardGeometry, type EngineFacts, type ShardGeometry } from './shard-geometry.js'
import { upperLevelBytes, type BuildSizes, type StageMemories } from './stage-memory.js'
import { usefulThreads } from './useful-threads.js'
import { BUFFER_CLASS_OVERHEAD, weighBuffers, type Buffers } from './weigh-buffers.js'
import { weighStages, type StageWeights } from './weigh-stages.js'

export interface PlanFacts {
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  /** Default f32: vectors are not quantized. */
  readonly quantization?: Quantization | undefined
  readonly engine: EngineFacts
  readonly budgetBytes: number
  /** Worker threads at most; fewer when there is work for fewer. */
  readonly threads: number
  /** Bytes of an average id as stored, 0 when ids are the ordinals. */
  readonly idBytes: number
  /** Bytes of the encoded fields of an average record. Default 0: there are no fields. */
  readonly fieldBytes?: number | undefined
  /** The caller's own limit for queue buffers. */
  readonly queueBytes?: number | undefined
}

export interface StageEstimate {
  readonly name: StageName
  readonly bytes: number
}

/** The numbers fixed before work starts. Everything is bytes unless its name says otherwise. */
export interface BuildPlan {
  readonly count: number
  readonly dimensions: number
  readonly gridDims: number
  readonly m: number
  readonly budgetBytes: number
  readonly threads: number
  readonly geometry: ShardGeometry
  /**
   * True when memory forced shards below the standard size: the bytes then differ from those of a build with more
   * memory.
   */
  readonly reducedShards: boolean
  readonly queueBytes: number
  /** Size of a queue batch. One size for all queues, so that a freed buffer serves the next batch of any of them. */
  readonly batchBytes: number
  /** Size of the buffer a task writes its output to; tasks that need more get a larger one. */
  readonly taskOutputBytes: number
  /** Grid rows stay in memory from shards to upper levels; otherwise they are read back from a file. */
  readonly gridInMemory: boolean
  /** The proof searches the index in memory; otherwise by positional reads. */
  readonly searchInMemory: boolean
  /**
   * Threads and buffers are released between stages, because the memory that one stage leaves and the memory that the
   * next one needs do not fit together.
   */
  readonly releaseBetweenStages: boolean
  readonly stages: readonly StageEstimate[]
  /** What a process that runs tasks holds beside them: for tasks on other hosts. */
  readonly hostBytes: number
  /** What the largest task takes, with its thread and its output. */
  readonly taskBytes: number
  /** Highest stage without any queue buffer or grid rows in memory. */
  readonly fixedBytes: number
  readonly peakBytes: number
  /** Bytes of the finished index. */
  readonly indexBytes: number
  /** Bytes of temporary files when everything spills and the build can be resumed. */
  readonly temporaryBytes: number
}

/** Share of the budget for garbage not yet collected and for allocator slack. */
const SLACK_SHARE = 0.08
/** Queues get at least this much in total. */
const MIN_QUEUE_BYTES = 4 * 2 ** 20
/** Standard shards may be halved down to this many members before the plan refuses. */
const MIN_SHARD_MEMBERS = 1024
/** One WebAssembly memory addresses 4 GiB. */
const MAX_SEARCH_BYTES = 3.9 * 2 ** 30

/**
 * The plan of a build. Pure. Less memory means first smaller buffers, then fewer workers, then smaller shards. The plan
 * reports smaller shards, because the bytes then differ. Throws InsufficientMemoryError when the smallest shards do not
 * fit.
 */
export function planBuild(facts: PlanFacts, memories: StageMemories): BuildPlan {
  const { engine, count } = facts
  let last: BuildPlan | undefined
  for (let aimed = engine.shardMembers; aimed >= MIN_SHARD_MEMBERS; aimed = Math.floor(aimed / 2)) {
    const geometry = shardGeometry(count, engine.overlap, aimed)
    const most = Math.min(facts.threads, usefulThreads(facts, geometry.shardCount))
    for (let threads = most; threads >= 1; threads--) {
      const plan = weigh(facts, memories, threads, geometry)
      if (neededBytes(plan) <= facts.budgetBytes) {
        return { ...plan, reducedShards: aimed < engine.shardMembers && geometry.shardCount > 1 }
      }
      last = plan
    }
  }
  throw tooLittle(last ?? weigh(facts, memories, 1, shardGeometry(count, engine.overlap, MIN_SHARD_MEMBERS)))
}

/** The plan of one candidate: this many threads, shards of this size. */
function weigh(facts: PlanFacts, memories: StageMemories, threads: number, geometry: ShardGeometry): BuildPlan {
  const { count, dimensions, m, budgetBytes } = facts
  const sizes = sizesOf(facts, geometry)
  const usableBytes = Math.floor(budgetBytes * (1 - SLACK_SHARE))
  const stages = weighStages(sizes, memories, threads)
  const gridBytes = count * sizes.gridRowBytes
  const buffers = weighBuffers(sizes, {
    leftBytes: usableBytes - stages.queuedBytes,
    gridBytes,
    minQueueBytes: MIN_QUEUE_BYTES,
    queueBytes: facts.queueBytes,
  })
  const searchInMemory = stages.proveBytes + stages.searchBytes <= usableBytes && stages.searchBytes < MAX_SEARCH_BYTES
  const estimates = estimateStages(stages, buffers, searchInMemory)
  return {
    count,
    dimensions,
    gridDims: sizes.gridDims,
    m,
    budgetBytes,
    threads,
    geometry,
    reducedShards: false,
    queueBytes: buffers.queueBytes,
    batchBytes: buffers.batchBytes,
    taskOutputBytes: stages.taskOutputBytes,
    gridInMemory: buffers.heldGridBytes > 0,
    searchInMemory,
    releaseBetweenStages: stages.everyStageBytes + buffers.bytes + buffers.heldGridBytes > usableBytes,
    stages: estimates,
    hostBytes: stages.hostBytes,
    taskBytes: stages.taskBytes,
    fixedBytes: Math.max(stages.queuedBytes + buffers.leastBytes, ...stages.fixed.map(({ bytes }) => bytes)),
    peakBytes: Math.ceil(Math.max(...estimates.map(({ bytes }) => bytes)) + budgetBytes * SLACK_SHARE),
    indexBytes: indexBytes(sizes),
    temporaryBytes: Math.ceil(stages.spillBytes + (buffers.heldGridBytes > 0 ? 0 : gridBytes)),
  }
}

function sizesOf(facts: PlanFacts, geometry: ShardGeometry): BuildSizes {
  const { count, dimensions, metric, m, quantization = 'f32', engine, idBytes, fieldBytes = 0 } = facts
  const gridDims = gridDimensions(dimensions, metric)
  const [vectorBytes, gridRowBytes] = [4 * dimensions, 2 * gridDims]
  const rows = { gridDims, vectorBytes, gridRowBytes, idBytes, fieldBytes }
  return { count, dimensions, m, ...rows, quantization, engine, geometry }
}

/** Every stage, including the buffers and grid rows held at the same time. */
function estimateStages(stages: StageWeights, buffers: Buffers, searchInMemory: boolean): StageEstimate[] {
  return stages.fixed.map(({ name, bytes, memory }) => ({
    name,
    bytes:
      bytes +
      (memory.usesGrid === true ? buffers.heldGridBytes : 0) +
      (memory.usesQueues === true ? buffers.bytes : 0) +
      (searchInMemory ? (memory.ifRoom ?? 0) : 0),
  }))
}

function indexBytes(sizes: BuildSizes): number {
  const { count, m, vectorBytes, idBytes, fieldBytes } = sizes
  const ids = idBytes > 0 ? idBytes + 20 : 0
  // Columns and words have as many bytes as the rows at most, nearly.
  const fields = fieldBytes > 0 ? 2 * fieldBytes + 8 : 0
  return Math.ceil(
    count * (vectorBytes + 4 * (2 * m + 1) + ids + fields) + upperLevelBytes(sizes) + quantizedFileBytes(sizes),
  )
}

/** Bytes of quantized vectors and codebook on disk. */
export function quantizedFileBytes({ count, dimensions, quantization }: BuildSizes): number {
  if (quantization === 'f32') return 0
  const { strideBytes, codebookBytes } = quantizedShape(quantization, dimensions)
  return count * strideBytes + codebookBytes
}

/** The minimum that the plan needs: its fixed part, and the smallest useful buffers. */
function neededBytes(plan: BuildPlan): number {
  return Math.ceil((plan.fixedBytes + MIN_QUEUE_BYTES * BUFFER_CLASS_OVERHEAD) / (1 - SLACK_SHARE))
}

function tooLittle(plan: BuildPlan): InsufficientMemoryError {
  const stage = plan.stages.reduce((worst, next) => (next.bytes > worst.bytes ? next : worst))
  const needed = neededBytes(plan)
  return new InsufficientMemoryError({
    neededBytes: needed,
    availableBytes: plan.budgetBytes,
    stage: stage.name,
    help:
      `even with one worker and the smallest shards and buffers; give at least ${Math.ceil(needed / 1e6)}MB (--memory), ` +
      `run on a machine or in a container that has it, or build fewer or shorter vectors`,
  })
}
