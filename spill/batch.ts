/** Batches and references to batches: plain data that structured cloning carries to a worker thread. */

/**
 * A batch of rows. `bytes` holds the rows, raw and little-endian: in a SharedArrayBuffer and 8-byte aligned to cross
 * threads without a copy, in a plain ArrayBuffer otherwise, and empty when the header says everything. `count` is the
 * number of vectors or rows. `header` is plain data that msgpack can hold: objects, arrays, strings, numbers,
 * null (−0 comes back as 0). It is small: what is large goes into `bytes`.
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

/** One frame of a spill file. Adjoining frames of one file are read together. */
export interface FileBatchRef {
  readonly kind: 'file'
  readonly path: string
  readonly offset: number
  readonly frameBytes: number
  readonly count: number
}

/** A batch on its way to a task: shared memory, or a place in a spill file. */
export type BatchRef<H = unknown> = MemoryBatchRef<H> | FileBatchRef

/** Larger batches are refused: a vectored write must stay below the 2 GiB limit of a system call. */
export const MAX_BATCH_BYTES = 1 << 30

/** JS heap that a batch object, its view and its entry in a queue take, about. */
const BATCH_OVERHEAD_BYTES = 256

/** Bytes that a held batch takes: the rows exactly, the header estimated. Never 0, so that empty batches count. */
export function batchBytes(batch: Batch): number {
  return BATCH_OVERHEAD_BYTES + batch.bytes.byteLength + heapBytes(batch.header)
}

/** Sizes in 64-bit V8, rounded up: a slot 8, a string 16 and its characters, an object or array 32 and its slots. */
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
