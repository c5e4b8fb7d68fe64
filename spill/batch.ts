/** What the queues carry, and what a task gets of it. Both are plain data that structured cloning carries over. */

/**
 * A batch of rows. `bytes` holds the rows, raw and little-endian; over a SharedArrayBuffer and 8-byte aligned when it is
 * to cross threads without a copy, over a plain ArrayBuffer otherwise; empty when the header says it all.
 * `count` is the number of vectors or rows in it. `header` is anything msgpack can hold: plain objects, arrays, strings,
 * numbers, typed arrays (−0 comes back as 0, and a lone surrogate in a string as U+FFFD).
 */
export interface Batch<H = unknown> {
  readonly header: H
  readonly count: number
  readonly bytes: Uint8Array
}

export interface MemoryBatchRef<H = unknown> {
  readonly kind: 'memory'
  readonly batch: Batch<H>
}

/** One frame of a spill file; frames of one file that follow each other are read together. */
export interface FileBatchRef {
  readonly kind: 'file'
  readonly path: string
  readonly offset: number
  readonly frameBytes: number
  readonly count: number
}

/** A batch on its way to a task: shared memory, or a place in a spill file. */
export type BatchRef<H = unknown> = MemoryBatchRef<H> | FileBatchRef

/** Larger batches are refused: a vectored write must stay below the 2 GiB that one system call takes. */
export const MAX_BATCH_BYTES = 1 << 30

/** The batch object, its view and its place in a queue: about this much of the JS heap. */
const BATCH_OVERHEAD_BYTES = 256

/** What holding a batch costs, in bytes: the rows exactly, the header estimated. Never 0, so that empty batches count. */
export function batchBytes(batch: Batch): number {
  return BATCH_OVERHEAD_BYTES + batch.bytes.byteLength + heapBytes(batch.header)
}

/** Sizes of V8 on 64 bits, rounded up: a slot 8, a string 16 and its characters, an object or array 32 and its slots. */
function heapBytes(value: unknown): number {
  if (typeof value === 'string') return 24 + value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return 96 + value.byteLength
  let bytes = 32
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) bytes += typeof item === 'number' ? 8 : heapBytes(item)
    return bytes
  }
  for (const item of Object.values(value)) bytes += 8 + heapBytes(item)
  return bytes
}
