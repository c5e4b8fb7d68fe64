/** The disk-backed queue: what the rest of Shardloom imports from here. */

export type { Batch, BatchRef, FileBatchRef, MemoryBatchRef } from './batch.js'
export { BufferPool } from './buffer-pool.js'
export { DiskBackedQueue, type QueueLength, type QueueOptions } from './disk-backed-queue.js'
export { mappedMemory } from './mapped-memory.js'
export { readBatches } from './read-batches.js'
export { checkQueue, cutQueue, type CheckedQueue, type RecoveredFile, type RecoveredQueue } from './recover-queue.js'
export { recoverSpillFile, type RecoveredSpillFile } from './recover-spill-file.js'
export { writeFrames } from './write-frames.js'
export { Signal } from './signal.js'
export { SpillBudget, type SpillBudgetOptions } from './spill-budget.js'
export type { SpillFileSystem, SpillHandle } from './spill-file.js'
