/** What each thread allocates for itself when several search one index in shared memory. */
import type { FarKind } from './far/far-search.js'
import type { RowsShape } from './row-layout.js'
import {
  ALIGN_BYTES,
  BEAM_SLOT_BYTES,
  beamSlots,
  CONTEXT_BYTES,
  CONTEXT_FIELDS,
  contextWord,
  scratchBytes,
  setContext,
} from './search-context.js'
import type { SearchMemory } from './search-memory.js'

/** Beam width of the first contexts: wide enough that few batches need wider ones. */
export const MIN_THREAD_BEAM = 512

/** Addresses in the kernel's memory. */
export interface ThreadContext {
  readonly context: number
  readonly query: number
  readonly beam: number
  /** Slots of the beam: the widest search it has room for. */
  readonly slots: number
  /** Its contexts in memories of far rows. */
  readonly far: readonly FarKind[]
}

/**
 * Allocates a context, marks, scratch and a beam for `width`. The memory must be complete, and its kernel shared.
 * `before`: the thread's context for a narrower beam, whose contexts in other memories it keeps.
 */
export function createThreadContext(memory: SearchMemory, width: number, before?: ThreadContext): ThreadContext {
  if (!memory.complete) throw new Error('threads search only a memory that holds all rows and upper levels')
  const { kernel, dimensions, count, m, quantized } = memory
  const slots = beamSlots(width, count)
  const context = kernel.alloc(CONTEXT_BYTES, ALIGN_BYTES)
  const [query, beam] = [kernel.alloc(4 * dimensions, ALIGN_BYTES), kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)]
  const [ids, distances, addresses] = [1, 2, 3].map(() => kernel.alloc(scratchBytes(m), ALIGN_BYTES))
  const prepared = kernel.alloc(quantized?.preparedBytes ?? 0, ALIGN_BYTES)
  const visited = kernel.allocZeroed(count, ALIGN_BYTES)
  const upperVisited = kernel.allocZeroed(contextWord(kernel, memory.context, 'upperCount'), ALIGN_BYTES)
  kernel.u32(context, CONTEXT_FIELDS.length).set(kernel.u32(memory.context, CONTEXT_FIELDS.length))
  const own = { query, prepared, beam, ids, distances, addresses, visited, upperVisited, epoch: 0, upperEpoch: 0 }
  setContext(kernel, context, own)
  return { context, query, beam, slots, far: before?.far ?? memory.rows.far.map((rows) => rows.forThread()) }
}

/** Bytes of kernel memory that `createThreadContext` takes. */
export function threadContextBytes(shape: RowsShape, width: number): number {
  const { count, dimensions, m, codes } = shape
  const scratch = 3 * scratchBytes(m) + CONTEXT_BYTES + 9 * ALIGN_BYTES
  const query = 4 * dimensions + (codes?.preparedBytes ?? 0)
  return Math.ceil(count * (1 + 1 / m)) + query + BEAM_SLOT_BYTES * beamSlots(width, count) + scratch
}
