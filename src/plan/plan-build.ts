import { InsufficientMemoryError } from '../errors.js'
import { quantizedShape } from '../format/graph/quantized-shape.js'
import type { Metric } from '../api/vectors.js'
import type { StageName, Quantization } from '../api/report.js'
import { gridDimensions, shardGeometry, type ShardGeometry } from './shard-geometry.js'

/** What the plan needs to know of an engine. */
export interface EngineFacts {
  readonly overlap: number
  readonly shardMembers: number
  /** Peak bytes of building one shard, beyond its codes. */
  workerBytes(members: number, gridDims: number, m: number): number
}

export interface PlanFacts {
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  /** Default f32: no codes. */
  readonly quantization?: Quantization | undefined
  readonly engine: EngineFacts
  readonly budgetBytes: number
  /** Worker threads at most. */
  readonly threads: number
  /** Bytes of an average id as stored, 0 when ids are the ordinals. */
  readonly idBytes: number
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
  /** True when memory forced shards below the standard size: the bytes then differ from a roomier build's. */
  readonly reducedShards: boolean
  readonly queueBytes: number
  /** Size of a queue batch. One size for all queues, so that a freed buffer serves the next batch of any of them. */
  readonly batchBytes: number
  /** Size of the buffer a task writes its output to; those tasks that need more get more. */
  readonly taskOutputBytes: number
  /** Codes stay in memory from shards to merge; otherwise they are read back from build/codes.bin. */
  readonly gridInMemory: boolean
  /** The proof searches the index in memory; otherwise by positional reads. */
  readonly searchInMemory: boolean
  /** Rows of the sample that the trial may use: no more than a shard, which must fit anyway. */
  readonly trialRows: number
  /** Threads and buffers are given up between stages: what one leaves behind and what the next needs do not fit together. */
  readonly releaseBetweenStages: boolean
  readonly stages: readonly StageEstimate[]
  /** Highest stage without any queue buffer or held codes. */
  readonly fixedBytes: number
  readonly peakBytes: number
  /**
   * Bytes of the finished index; and of temp files if everything spills and the build can be resumed: what was read is
   * kept beside the shards' queues, and their graph rows.
   */
  readonly indexBytes: number
  readonly temporaryBytes: number
}

const MIB = 2 ** 20

/** RSS of Node 20 with this package loaded and an ordinary heap, one coordinator thread. Measured: 62 MB, 70 with a
 * heap in use. */
export const NODE_BYTES = 74e6
/** RSS that one idle worker thread adds, with kernel and stages loaded. Measured: 19 MB, 24 with code that is
 * hot. */
export const WORKER_BYTES = 25e6
/** Share of the budget left to garbage not yet collected and to allocator slack. */
const SLACK_SHARE = 0.08
/** Largest shard over average shard that the plan allows for; larger ones are split. Measured on SIFT 100k and WordNet
 * 20k: 1.26 and 1.17. */
const SHARD_SKEW = 1.5
/** The sample that leaders, mean and scale come from: so many rows, or this share of a larger build. */
const SAMPLE_BASE_ROWS = 4096
const SAMPLE_BASE_BYTES = 16 * MIB
const SAMPLE_MIN_ROWS = 1024
/** Two sampled rows for each leader of a very large build. */
const SAMPLE_SHARE = 1 / 2048
/** Sampled rows of the trial that chooses the quality; the last TRIAL_QUERIES of them are asked for, not linked. */
const TRIAL_ROWS = 4096
export const TRIAL_QUERIES = 256
/** Bytes of a queue batch, where there is room for one open batch of every shard. */
const BATCH_BYTES = 256 * 1024
const MIN_BATCH_BYTES = 4096
/** Heap that a queue keeps for a batch that is in its files. Measured: 106. */
const BATCH_RECORD_BYTES = 110
/** Buffers come in size classes up to an eighth larger than asked for. */
const BUFFER_CLASS_OVERHEAD = 1.125
/** Source rows in one route task: bytes of batches. */
export const ROUTE_TASK_BYTES = 2 * MIB
/** Fingerprints of ids are sorted partition by partition; 2^6 of them hold 50M ids in 13 MB each. */
export const ID_PARTITION_BITS = 6
export const ID_PARTITION_BATCH_BYTES = 16 * 1024
/** Ordinal and length before an id on its way. */
const ID_HEAD_BYTES = 8
/** Codes that one merge chunk may hold, with the numbers of their nodes. */
export const MERGE_CHUNK_BYTES = 16 * MIB
/** Largest segment: bounded so that one merge task's rows fit any budget worth planning for. */
export const SEGMENT_MAX_NODES = 65_536
export const SEGMENT_MAX_BYTES = 64 * MIB
const SEGMENT_MIN_BYTES = 4 * MIB
/** The sample that a codebook is trained on, at most. k-means in 256 clusters wants some dozens of rows for each. */
const CODE_SAMPLE_ROWS = 16_384
const CODE_SAMPLE_BYTES = 64 * MIB
/** Columns of it that one task of k-means takes, about. */
const TRAIN_TASK_BYTES = 8 * MIB
/** Vectors that are encoded at a time. */
export const ENCODE_CHUNK_BYTES = 4 * MIB
/** Nobody routes into buffers smaller than this in total. */
const MIN_QUEUE_BYTES = 4 * MIB
/** Standard shards may be halved down to this many members before the plan refuses. */
const MIN_SHARD_MEMBERS = 1024
/** Chunks in which files are read, per thread. */
const READ_BUFFER_BYTES = 8 * MIB

/** Rows sampled of `count` vectors: a constant for builds of millions, a share above that. */
export function sampleRows(count: number, dimensions: number): number {
  const base = Math.max(SAMPLE_MIN_ROWS, Math.min(SAMPLE_BASE_ROWS, Math.floor(SAMPLE_BASE_BYTES / (4 * dimensions))))
  return Math.max(Math.min(count, base), Math.ceil(count * SAMPLE_SHARE))
}

/** Vectors sampled to train the codebook of compact codes. Of memory no function: it decides bytes. */
export function codeSampleRows(count: number, dimensions: number): number {
  return Math.min(count, CODE_SAMPLE_ROWS, Math.max(1, Math.floor(CODE_SAMPLE_BYTES / (4 * dimensions))))
}

/** Tasks that train the subspaces: some for each thread, and none larger than planned. */
export function trainTaskCount(count: number, dimensions: number, subspaces: number, threads: number): number {
  const sampleBytes = 4 * codeSampleRows(count, dimensions) * dimensions
  return Math.min(subspaces, Math.max(4 * threads, Math.ceil(sampleBytes / TRAIN_TASK_BYTES)))
}

/** Of compact codes: what the stage that makes them holds for all tasks, and in each; and what it writes. */
function compactCodeBytes(
  quantization: Quantization,
  count: number,
  dimensions: number,
): { shared: number; task: number; disk: number } {
  if (quantization === 'f32') return { shared: 0, task: 0, disk: 0 }
  const { strideBytes, codebookBytes, subspaces } = quantizedShape(quantization, dimensions)
  const sampled = quantization === 'f16' ? 0 : codeSampleRows(count, dimensions)
  const chunkRows = Math.min(count, Math.max(1, Math.floor(ENCODE_CHUNK_BYTES / (4 * dimensions))))
  // The buffer of the file that is written is 1 MiB.
  const encoding = codebookBytes + chunkRows * (4 * dimensions + strideBytes) + 4 * dimensions + MIB
  // A task has so many columns: of the sample, and of the codebook. Sums of a subspace, and two numbers a row, are beside.
  const columns =
    quantization === 'pq' ? Math.ceil(dimensions / trainTaskCount(count, dimensions, subspaces, 1)) + 4 : 0
  const training = quantization === 'pq' ? columns * (4 * sampled + 1024) + 12 * 1024 + 16 * sampled : 24 * dimensions
  return {
    shared: 4 * sampled * dimensions + codebookBytes,
    task: Math.max(encoding, training),
    disk: count * strideBytes + codebookBytes,
  }
}

/** Vector bytes that a segment aims at: about 16 segments for small builds, 64 MiB at most. */
export function segmentAimBytes(count: number, dimensions: number): number {
  return Math.max(SEGMENT_MIN_BYTES, Math.min(SEGMENT_MAX_BYTES, Math.ceil((count * dimensions * 4) / 16)))
}

/** Row of a shard graph on its way to merge: node, count, then neighbour and distance words. */
export function graphRowBytes(degree: number): number {
  return 8 + 8 * degree
}

interface Sizes {
  readonly count: number
  readonly vectorBytes: number
  readonly codeBytes: number
  readonly m: number
  readonly gridDims: number
}

/** Members of the largest shard that the plan has room for. Routing splits what comes out larger. */
export function shardMemberLimit({ shardMembers }: Pick<ShardGeometry, 'shardMembers'>): number {
  return Math.ceil(shardMembers * SHARD_SKEW)
}

/** One shard in one worker: codes, then whichever is larger of its float rows and what the engine needs. */
function shardBytes(geometry: ShardGeometry, sizes: Sizes, engine: EngineFacts): number {
  const { overlap } = geometry
  const largest = Math.min(sizes.count, shardMemberLimit(geometry))
  const loading = Math.ceil(largest / overlap) * sizes.vectorBytes + largest * (sizes.codeBytes / 2)
  const building = engine.workerBytes(largest, sizes.gridDims, sizes.m)
  const rows = largest * graphRowBytes(2 * sizes.m)
  // Members' nodes and runs of rows are 16 bytes a member. Rows go out by way of kernel memory: as the graph, as records.
  return largest * (sizes.codeBytes + 16) + Math.max(loading, building, 2 * rows) + rows
}

/** The trial in one worker: the engine's build, then vectors and links beside its codes. */
function trialBytes(rows: number, sizes: Sizes, engine: EngineFacts): number {
  const searched = rows * (2 * sizes.vectorBytes + 4 * (2 * sizes.m + 1))
  return 2 * rows * sizes.codeBytes + Math.max(engine.workerBytes(rows, sizes.gridDims, sizes.m), searched)
}

function mergeBytes(overlap: number, sizes: Sizes): number {
  const nodes = Math.min(
    sizes.count,
    SEGMENT_MAX_NODES,
    Math.max(1, Math.ceil(segmentAimBytes(sizes.count, sizes.vectorBytes / 4) / sizes.vectorBytes)) * SHARD_SKEW,
  )
  // Rows of hnswlib hold two thirds of their 2M links on average. Beside each row its place.
  const rows = overlap * (graphRowBytes((4 * sizes.m) / 3) + 4) + 4
  // A chunk's candidates: a bit of every node, and 4 bytes for 64 of them.
  const marks = (sizes.count * 3) / 16
  return nodes * (rows + 4 * (2 * sizes.m + 1)) + marks + MERGE_CHUNK_BYTES
}

/** What is kept in memory of batches wherever they are: those of ingest and of the shards' queues. */
function recordBytes(
  batch: number,
  { count, vectorBytes, codeBytes }: Sizes,
  { overlap, shardCount }: ShardGeometry,
): number {
  const batchesOf = (rows: number, rowBytes: number): number =>
    Math.ceil(rows / Math.max(1, Math.floor(batch / (4 + rowBytes))))
  const batches = 2 * batchesOf(count, vectorBytes) + batchesOf(count * (overlap - 1), codeBytes) + 2 * shardCount
  return batches * BATCH_RECORD_BYTES
}

/** The batch size that takes the least memory: open ones, one for each queue of a shard, and the records of all. */
function smallestBatch(sizes: Sizes, geometry: ShardGeometry): number {
  const takes = (batch: number): number =>
    batch * 2 * geometry.shardCount * BUFFER_CLASS_OVERHEAD + recordBytes(batch, sizes, geometry)
  let batch = Math.max(MIN_BATCH_BYTES, 2 ** Math.ceil(Math.log2(4 + sizes.vectorBytes)))
  while (batch < BATCH_BYTES && takes(2 * batch) < takes(batch)) batch *= 2
  return batch
}

/** The numbers of one candidate: so many threads, so large a shard. */
function weigh(facts: PlanFacts, threads: number, geometry: ShardGeometry): BuildPlan {
  const { count, dimensions, m, engine } = facts
  const gridDims = gridDimensions(dimensions, facts.metric)
  const sizes: Sizes = { count, vectorBytes: 4 * dimensions, codeBytes: 2 * gridDims, m, gridDims }
  const usableBytes = Math.floor(facts.budgetBytes * (1 - SLACK_SHARE))

  const codesBytes = count * sizes.codeBytes
  const linksBytes = count * 4 * (2 * m + 1)
  const vectorsBytes = count * sizes.vectorBytes
  const upperBytes = (count / m) * 4 * (m + 3)
  const sampleBytes = 2 * sampleRows(count, dimensions) * sizes.vectorBytes
  const leaderBytes = geometry.shardCount * sizes.codeBytes * 2
  const numberingBytes = 4 * count
  const shard = shardBytes(geometry, sizes, engine)
  const merge = mergeBytes(geometry.overlap, sizes)
  const routeRows = ROUTE_TASK_BYTES / sizes.vectorBytes
  const routeRecordBytes = routeRows * (sizes.vectorBytes + 4 + (geometry.overlap - 1) * (sizes.codeBytes + 4))
  const taskOutputBytes = Math.ceil(
    Math.max(routeRecordBytes, Math.min(count, shardMemberLimit(geometry)) * graphRowBytes(2 * m)),
  )
  // One output per running task, one that waits for a thread and one to spare.
  const outputBytes = (threads + 2) * taskOutputBytes * BUFFER_CLASS_OVERHEAD
  const routeTask = ROUTE_TASK_BYTES * 1.5 + routeRecordBytes + leaderBytes + 4 * geometry.shardCount * 128

  const { quantization = 'f32' } = facts
  const compact = compactCodeBytes(quantization, count, dimensions)

  const trialRows = Math.min(TRIAL_ROWS, geometry.shardMembers, sampleRows(count, dimensions))

  // A level of more than one shard goes through the queues once more.
  const largeLevel = count / m > 2 * engine.shardMembers
  // Fixed part of each stage, before any queue buffer.
  const workers = (taskBytes: number): number => threads * (WORKER_BYTES + taskBytes)
  const fixed: Record<'ingest' | 'route' | 'shards' | 'merge' | 'upper levels' | 'quantize' | 'prove', number> = {
    ingest: NODE_BYTES + sampleBytes + 4 * MIB,
    route:
      NODE_BYTES +
      sampleBytes +
      leaderBytes +
      numberingBytes +
      outputBytes +
      workers(routeTask) +
      Math.max(0, trialBytes(trialRows, sizes, engine) - routeTask),
    shards: NODE_BYTES + numberingBytes + outputBytes + workers(shard + READ_BUFFER_BYTES),
    merge: NODE_BYTES + numberingBytes + workers(merge + READ_BUFFER_BYTES),
    'upper levels':
      NODE_BYTES + numberingBytes + workers(Math.max(shard, merge)) + upperBytes + (largeLevel ? outputBytes : 0),
    quantize:
      quantization === 'f32'
        ? 0
        : NODE_BYTES + numberingBytes + compact.shared + upperBytes + workers(compact.task + READ_BUFFER_BYTES),
    prove: NODE_BYTES + numberingBytes + workers(READ_BUFFER_BYTES) + 4.25 * count + READ_BUFFER_BYTES,
  }
  // Stages that hold queue buffers beside it.
  const bufferedBytes = Math.max(
    fixed.ingest,
    fixed.route,
    fixed.shards,
    fixed.merge,
    largeLevel ? fixed['upper levels'] : 0,
  )
  const leftBytes = usableBytes - bufferedBytes
  const leastBatchBytes = smallestBatch(sizes, geometry)
  const leastOpenBytes =
    leastBatchBytes * 2 * geometry.shardCount * BUFFER_CLASS_OVERHEAD + recordBytes(leastBatchBytes, sizes, geometry)
  const gridInMemory = leftBytes >= codesBytes + leastOpenBytes + 4 * MIN_QUEUE_BYTES
  // Open batches, two a shard (home and replica), take up to a third of the room; buffers of queues the rest.
  const heldBytes = (gridInMemory ? codesBytes : 0) + recordBytes(leastBatchBytes, sizes, geometry)
  const roomBytes = Math.max(0, leftBytes - heldBytes) / BUFFER_CLASS_OVERHEAD
  const openRoomBytes = roomBytes / 3 / (2 * geometry.shardCount)
  const batchBytes = Math.max(leastBatchBytes, Math.min(BATCH_BYTES, 2 ** Math.floor(Math.log2(openRoomBytes + 1))))
  const openBytes = batchBytes * 2 * geometry.shardCount
  const everything = vectorsBytes + count * ((geometry.overlap - 1) * sizes.codeBytes + 16) + 8 * MIB
  const plannedQueueBytes = Math.max(0, Math.min(roomBytes - openBytes, everything))
  const queueBytes = Math.floor(Math.min(plannedQueueBytes, facts.queueBytes ?? Number.POSITIVE_INFINITY))
  const bufferBytes = (queueBytes + openBytes) * BUFFER_CLASS_OVERHEAD + recordBytes(batchBytes, sizes, geometry)
  const searchBytes = vectorsBytes + linksBytes + upperBytes + 2 * count + compact.disk
  const searchInMemory = fixed.prove + searchBytes <= usableBytes && searchBytes < 3.9 * 2 ** 30
  const codesHeld = gridInMemory ? codesBytes : 0
  const everyStageBytes =
    NODE_BYTES +
    numberingBytes +
    outputBytes +
    bufferBytes +
    codesHeld +
    workers(routeTask + shard + merge + compact.task) +
    compact.shared +
    searchBytes

  const stages: StageEstimate[] = [
    { name: 'ingest', bytes: fixed.ingest + bufferBytes },
    { name: 'route', bytes: fixed.route + bufferBytes },
    { name: 'shards', bytes: fixed.shards + codesHeld + bufferBytes },
    { name: 'merge', bytes: fixed.merge + codesHeld + bufferBytes },
    { name: 'upper levels', bytes: fixed['upper levels'] + codesHeld + (largeLevel ? bufferBytes : 0) },
    ...(quantization === 'f32' ? [] : [{ name: 'quantize' as const, bytes: fixed.quantize }]),
    { name: 'prove', bytes: fixed.prove + (searchInMemory ? searchBytes : 0) },
  ]
  return {
    count,
    dimensions,
    gridDims,
    m,
    budgetBytes: facts.budgetBytes,
    threads,
    geometry,
    reducedShards: false,
    queueBytes,
    batchBytes,
    taskOutputBytes,
    gridInMemory,
    searchInMemory,
    trialRows,
    releaseBetweenStages: everyStageBytes > usableBytes,
    stages,
    fixedBytes: Math.max(bufferedBytes + leastOpenBytes, ...Object.values(fixed)),
    peakBytes: Math.ceil(Math.max(...stages.map((stage) => stage.bytes)) + facts.budgetBytes * SLACK_SHARE),
    indexBytes: Math.ceil(
      vectorsBytes + linksBytes + upperBytes + compact.disk + count * (facts.idBytes > 0 ? facts.idBytes + 20 : 0),
    ),
    temporaryBytes: Math.ceil(
      2 * vectorsBytes +
        (geometry.overlap - 1) * codesBytes +
        (gridInMemory ? 0 : codesBytes) +
        count * (facts.idBytes + ID_HEAD_BYTES + geometry.overlap * graphRowBytes((4 * m) / 3)),
    ),
  }
}

/** What the plan needs at the least: its fixed part, and the smallest buffers worth having. */
function neededBytes(plan: BuildPlan): number {
  return Math.ceil((plan.fixedBytes + MIN_QUEUE_BYTES * BUFFER_CLASS_OVERHEAD) / (1 - SLACK_SHARE))
}

/**
 * The plan of a build. Pure. Less memory means first smaller buffers, then fewer workers, then (said in the plan,
 * because the bytes then differ) smaller shards; when the smallest does not fit it throws InsufficientMemoryError.
 */
export function planBuild(facts: PlanFacts): BuildPlan {
  let last: BuildPlan | undefined
  for (let aimed = facts.engine.shardMembers; aimed >= MIN_SHARD_MEMBERS; aimed = Math.floor(aimed / 2)) {
    const geometry = shardGeometry(facts.count, facts.engine.overlap, aimed)
    for (let threads = facts.threads; threads >= 1; threads--) {
      const plan = weigh(facts, threads, geometry)
      if (neededBytes(plan) <= facts.budgetBytes) {
        return { ...plan, reducedShards: aimed < facts.engine.shardMembers && geometry.shardCount > 1 }
      }
      last = plan
    }
  }
  throw tooLittle(last ?? weigh(facts, 1, shardGeometry(facts.count, facts.engine.overlap, MIN_SHARD_MEMBERS)))
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
