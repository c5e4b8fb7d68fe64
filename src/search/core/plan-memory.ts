/** How an open index divides the memory it may use. Pure. */
import { InsufficientMemoryError } from '../../errors.js'
import { farFixedBytes } from './far/far-context.js'
import {
  allRowBytes,
  farMemories,
  kindsOf,
  layoutRows,
  leastPageBytes,
  nearKinds,
  strideBytesOf,
  tableBytesOf,
  type RowLayout,
  type RowsShape,
} from './row-layout.js'
import { SearchMemory } from './search-memory.js'
import { MIN_THREAD_BEAM, threadContextBytes } from './thread-context.js'

/** A WebAssembly memory ends at 4 GiB; the margin is for the module's data and for growth steps. */
const KERNEL_LIMIT_BYTES = 2 ** 32 - 64 * 2 ** 20
/** The part for ids when the memory does not hold everything. */
const IDS_SHARE = 1 / 8
/** The part for columns and filters then, in an index with fields. */
const FIELDS_SHARE = 1 / 8

export interface MemoryPlan {
  /** Of rows, in all memories. */
  readonly pageBytes: number
  readonly layout: RowLayout
  readonly idsBytes: number
  /** Of columns and of filters that are kept filled. */
  readonly fieldsBytes: number
  /** All of the memory in which a search walks, its pages included. */
  readonly kernelBytes: number
}

export interface MemoryWish {
  readonly budgetBytes: number
  readonly preload: boolean
  readonly threads: number
}

/** The largest memory in which a search walks, and the largest of far rows. */
export interface MemoryLimits {
  readonly nearLimitBytes: number
  readonly farLimitBytes: number
}

const WEBASSEMBLY_LIMITS: MemoryLimits = { nearLimitBytes: KERNEL_LIMIT_BYTES, farLimitBytes: KERNEL_LIMIT_BYTES }

/**
 * Plans to hold everything when it fits; else divides what is left after the required parts between pages, ids and
 * fields. What
 * one memory cannot hold goes into several. `limits`: for tests, which have no index above 4 GiB.
 */
export function planMemory(
  shape: RowsShape,
  files: { readonly upperBytes: number; readonly idsBytes: number; readonly fieldsBytes?: number },
  { budgetBytes, preload, threads }: MemoryWish,
  { nearLimitBytes, farLimitBytes } = WEBASSEMBLY_LIMITS,
): MemoryPlan {
  const { upperBytes, idsBytes, fieldsBytes = 0 } = files
  const rowBytes = allRowBytes(shape)
  const tableBytes = tableBytesOf(shape, kindsOf(shape))
  const threadBytes = threads > 1 ? threads * threadContextBytes(shape, MIN_THREAD_BEAM) : 0
  const fixedBytes = SearchMemory.requiredBytes({ ...shape, upperBytes }) - rowBytes + threadBytes
  const farBytes = farFixedBytes(shape, threads)
  const room = {
    nearBytes: nearLimitBytes - fixedBytes - tableBytes,
    memoryBytes: farLimitBytes,
    farFixedBytes: farBytes,
  }
  const layoutOf = (pageBytes: number): RowLayout => layoutRows(shape, { ...room, pageBytes })
  const plan = (pageBytes: number, layout: RowLayout, ids: number, fields: number): MemoryPlan => {
    const { vectors, links, codes } = layout.near
    const nearTables = tableBytesOf(shape, nearKinds(shape, layout))
    const kernelBytes = fixedBytes + nearTables + vectors + links + codes
    return { pageBytes, layout, idsBytes: ids, fieldsBytes: fields, kernelBytes }
  }

  const requiredBytes = fixedBytes + tableBytes
  const whole = layoutOf(rowBytes)
  const neededBytes = requiredBytes + rowBytes + farMemories(shape, whole) * farBytes + idsBytes + fieldsBytes
  const linksFit = whole.near.links >= shape.count * strideBytesOf(shape).links
  if (neededBytes <= budgetBytes && linksFit) return plan(rowBytes, whole, idsBytes, fieldsBytes)
  if (preload) {
    throw new InsufficientMemoryError({
      neededBytes,
      availableBytes: budgetBytes,
      stage: 'open',
      help: linksFit
        ? 'preload and threads need the whole index in memory; raise memory, or omit them to load pages on demand'
        : 'preload and threads need all links in one memory of 4 GiB; omit them to load pages on demand',
    })
  }
  const idsShare = Math.min(idsBytes, Math.floor(budgetBytes * IDS_SHARE))
  const fieldsShare = Math.min(fieldsBytes, Math.floor(budgetBytes * FIELDS_SHARE))
  const leftBytes = budgetBytes - idsShare - fieldsShare - requiredBytes
  const least = leastPageBytes(shape)
  if (leftBytes < least) {
    throw new InsufficientMemoryError({
      neededBytes: Math.ceil((requiredBytes + least) / (1 - IDS_SHARE - (fieldsBytes > 0 ? FIELDS_SHARE : 0))),
      availableBytes: budgetBytes,
      stage: 'open',
      help: 'this is the least that a search needs; raise memory',
    })
  }
  const pageBytes = Math.max(least, leftBytes - farMemories(shape, layoutOf(leftBytes)) * farBytes)
  return plan(pageBytes, layoutOf(pageBytes), idsShare, fieldsShare)
}
