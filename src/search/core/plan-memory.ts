/** How an open index divides the memory it may use. Pure. */
import { InsufficientMemoryError } from '../../errors.js'
import { CoreRows, type RowsShape } from './core-rows.js'
import { SearchMemory } from './search-memory.js'
import { MIN_THREAD_BEAM, threadContextBytes } from './thread-context.js'

/** A WebAssembly memory ends at 4 GiB; the margin is for the module's data and for growth steps. */
const KERNEL_LIMIT_BYTES = 2 ** 32 - 64 * 2 ** 20
/** The part for ids when the memory does not hold everything. */
const IDS_SHARE = 1 / 8

export interface MemoryPlan {
  readonly pageBytes: number
  readonly idsBytes: number
  /** All of the kernel's memory, pages included. */
  readonly kernelBytes: number
}

/** Plans to hold everything when it fits; else divides what is left after the required parts between pages and ids. */
export function planMemory(
  shape: RowsShape,
  files: { readonly upperBytes: number; readonly idsBytes: number },
  { budgetBytes, preload, threads }: { budgetBytes: number; preload: boolean; threads: number },
): MemoryPlan {
  const { upperBytes, idsBytes } = files
  const rowBytes = CoreRows.allBytes(shape)
  const fixedBytes = SearchMemory.requiredBytes({ ...shape, upperBytes }) - rowBytes
  const tableBytes = CoreRows.tableBytes(shape)
  const threadBytes = threads > 1 ? threads * threadContextBytes(shape, MIN_THREAD_BEAM) : 0
  const whole = fixedBytes + rowBytes + tableBytes + threadBytes
  if (whole + idsBytes <= budgetBytes && whole <= KERNEL_LIMIT_BYTES) {
    return { pageBytes: rowBytes, idsBytes, kernelBytes: whole }
  }
  if (preload) {
    throw new InsufficientMemoryError({
      neededBytes: whole + idsBytes,
      availableBytes: Math.min(budgetBytes, KERNEL_LIMIT_BYTES),
      stage: 'open',
      help:
        'preload and threads need the whole index in memory, at most 4 GiB of it; ' +
        'raise memory, or omit them to load pages on demand',
    })
  }
  const idsShare = Math.min(idsBytes, Math.floor(budgetBytes * IDS_SHARE))
  const pageBytes = Math.min(budgetBytes - idsShare, KERNEL_LIMIT_BYTES) - fixedBytes - tableBytes
  const least = CoreRows.leastPageBytes(shape)
  if (pageBytes < least) {
    throw new InsufficientMemoryError({
      neededBytes: Math.ceil((fixedBytes + tableBytes + least) / (1 - IDS_SHARE)),
      availableBytes: budgetBytes,
      stage: 'open',
      help: 'this is the least that a search needs; raise memory',
    })
  }
  return { pageBytes, idsBytes: idsShare, kernelBytes: pageBytes + fixedBytes + tableBytes }
}
