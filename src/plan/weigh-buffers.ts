import type { BuildSizes } from './stage-memory.js'

const MIB = 2 ** 20
/** Bytes of a queue batch, when there is room for one open batch of every shard. */
const BATCH_BYTES = 256 * 1024
const MIN_BATCH_BYTES = 4096
/** Heap bytes that a queue keeps for a batch in its files. Measured: 106. */
const BATCH_RECORD_BYTES = 110
/** Heap bytes of a queue with nothing in it. Measured: 2,198. */
const QUEUE_HEAP_BYTES = 2200
/** Buffers come in size classes up to an eighth larger than asked for. */
export const BUFFER_CLASS_OVERHEAD = 1.125

/** The memory of queues and grid rows, out of what the stages leave. Bytes. */
export interface Buffers {
  readonly batchBytes: number
  readonly queueBytes: number
  /** Grid rows in memory; 0 when they are in a file. */
  readonly heldGridBytes: number
  /** Queue buffers, open batches, and the record of each batch. */
  readonly bytes: number
  /** The minimum for open batches and records of batches. */
  readonly leastBytes: number
}

/** Divides `leftBytes`: grid rows when they fit, then open batches (at most a third), then buffers of queues. */
export function weighBuffers(
  sizes: BuildSizes,
  limits: {
    readonly leftBytes: number
    readonly gridBytes: number
    readonly minQueueBytes: number
    /** The caller's own limit. */
    readonly queueBytes: number | undefined
  },
): Buffers {
  const { leftBytes, gridBytes, minQueueBytes } = limits
  const { count, vectorBytes, gridRowBytes, geometry } = sizes
  // Two open batches per shard: home and replica.
  const openBatches = 2 * geometry.shardCount
  const leastBatchBytes = smallestBatch(sizes)
  const leastBytes = leastBatchBytes * openBatches * BUFFER_CLASS_OVERHEAD + recordBytes(leastBatchBytes, sizes)
  const heldGridBytes = leftBytes >= gridBytes + leastBytes + 4 * minQueueBytes ? gridBytes : 0
  const keptBytes = heldGridBytes + recordBytes(leastBatchBytes, sizes)
  const roomBytes = Math.max(0, leftBytes - keptBytes) / BUFFER_CLASS_OVERHEAD
  const openRoomBytes = roomBytes / 3 / openBatches
  const batchBytes = Math.max(leastBatchBytes, Math.min(BATCH_BYTES, 2 ** Math.floor(Math.log2(openRoomBytes + 1))))
  const openBytes = batchBytes * openBatches
  const everything = count * (vectorBytes + (geometry.overlap - 1) * gridRowBytes + 16) + 8 * MIB
  const plannedBytes = Math.max(0, Math.min(roomBytes - openBytes, everything))
  const queueBytes = Math.floor(Math.min(plannedBytes, limits.queueBytes ?? Number.POSITIVE_INFINITY))
  return {
    batchBytes,
    queueBytes,
    heldGridBytes,
    bytes: (queueBytes + openBytes) * BUFFER_CLASS_OVERHEAD + recordBytes(batchBytes, sizes),
    leastBytes,
  }
}

/**
 * The batch size that takes the least memory for open batches, one for each queue of a shard, and the records of all
 * batches.
 */
function smallestBatch(sizes: BuildSizes): number {
  const { vectorBytes, geometry } = sizes
  const takes = (batch: number): number =>
    batch * 2 * geometry.shardCount * BUFFER_CLASS_OVERHEAD + recordBytes(batch, sizes)
  let batch = Math.max(MIN_BATCH_BYTES, 2 ** Math.ceil(Math.log2(4 + vectorBytes)))
  while (batch < BATCH_BYTES && takes(2 * batch) < takes(batch)) batch *= 2
  return batch
}

/** Bytes kept in memory for queues, and for batches in memory or in files: those of ingest and of the shards' queues. */
function recordBytes(batch: number, { count, vectorBytes, gridRowBytes, geometry }: BuildSizes): number {
  const batchesOf = (rows: number, rowBytes: number): number =>
    Math.ceil(rows / Math.max(1, Math.floor(batch / (4 + rowBytes))))
  const { overlap, shardCount } = geometry
  const batches = 2 * batchesOf(count, vectorBytes) + batchesOf(count * (overlap - 1), gridRowBytes) + 2 * shardCount
  return batches * BATCH_RECORD_BYTES + 2 * shardCount * QUEUE_HEAP_BYTES
}
