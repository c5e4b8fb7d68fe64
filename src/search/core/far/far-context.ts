/**
 * What a search needs in a memory of far rows: a context block with its query, room for the numbers of rows and for the
 * distances to them. A thread that searches has one in each of these memories.
 */
import type { Kernel } from '../../../../kernel/kernel.js'
import type { RowsShape } from '../row-layout.js'
import { ALIGN_BYTES, CONTEXT_BYTES, scratchBytes, setContext, TABLE_BYTES } from '../search-context.js'

/** The kernel's static data, and the gap before pages, which begin on pages of the system. */
const START_BYTES = 64 * 1024

/** Addresses in the kernel's memory. */
export interface FarContext {
  readonly context: number
  readonly query: number
  /** Of the query, prepared for quantized vectors. */
  readonly prepared: number
  readonly ids: number
  readonly distances: number
}

export interface FarContextShape {
  readonly dimensions: number
  readonly m: number
  readonly metric: number
  /** 0 for vectors. */
  readonly preparedBytes: number
}

/** `table`: the RowTable of the far rows in this memory. */
export function createFarContext(kernel: Kernel, table: number, shape: FarContextShape): FarContext {
  const { dimensions, m, metric, preparedBytes } = shape
  const context = kernel.alloc(CONTEXT_BYTES, ALIGN_BYTES)
  const [ids, distances, addresses] = [1, 2, 3].map(() => kernel.alloc(scratchBytes(m), ALIGN_BYTES))
  const query = kernel.alloc(4 * dimensions, ALIGN_BYTES)
  const prepared = kernel.alloc(preparedBytes, ALIGN_BYTES)
  kernel.u8(context, CONTEXT_BYTES).fill(0)
  setContext(kernel, context, {
    dimensions,
    metric,
    walked: table,
    exact: table,
    query,
    prepared,
    ids,
    distances,
    addresses,
  })
  return { context, query, prepared, ids, distances }
}

/** Bytes that `createFarContext` takes. */
export function farContextBytes({ dimensions, m, preparedBytes }: Omit<FarContextShape, 'metric'>): number {
  return CONTEXT_BYTES + 3 * scratchBytes(m) + 4 * dimensions + preparedBytes + 6 * ALIGN_BYTES
}

/** Bytes of a memory of far rows besides rows and page table, with contexts for this many threads. */
export function farFixedBytes({ dimensions, m, codes }: RowsShape, threads: number): number {
  const context = farContextBytes({ dimensions, m, preparedBytes: codes?.preparedBytes ?? 0 })
  return START_BYTES + TABLE_BYTES + (threads + 1) * context
}
