/** How an open index shares out the memory it may use. Pure. */
import { InsufficientMemoryError } from '../../errors.js'
import { CoreRows, type RowsShape } from './core-rows.js'
import { SearchCore } from './search-core.js'
import { MIN_BEAM } from '../batch/search-threads.js'

/** A WebAssembly memory ends at 4 GiB; the margin is the module's own data and growth steps. */
const KERNEL_LIMIT_BYTES = 2 ** 32 - 64 * 2 ** 20
/** Of a memory that does not hold everything, the part for ids. */
const IDS_SHARE = 1 / 8

export interface MemoryPlan {
  readonly pageBytes: number
  readonly idsBytes: number
  /** Of the kernel's memory, with the pages. */
  readonly kernelBytes: number
}

/** Everything is held when it fits; else what is left beside what must be there is shared out. */
export function planMemory(
  shape: RowsShape,
  files: { readonly upperBytes: number; readonly idsBytes: number },
  { budgetBytes, preload, threads }: { budgetBytes: number; preload: boolean; threads: number },
): MemoryPlan {
  const { upperBytes, idsBytes } = files
  const rowBytes = CoreRows.allBytes(shape)
  const fixedBytes = SearchCore.requiredBytes({ ...shape, upperBytes }) - rowBytes
  const tableBytes = CoreRows.tableBytes(shape)
  const threadBytes = threads > 1 ? threads * SearchCore.threadBytes({ ...shape, width: MIN_BEAM }) : 0
  const whole = fixedBytes + rowBytes + tableBytes + threadBytes
  if (whole + idsBytes <= budgetBytes && whole <= KERNEL_LIMIT_BYTES) {
    return { pageBytes: rowBytes, idsBytes, kernelBytes: whole }
  }
  if (preload) {
    throw new InsufficientMemoryError({
      neededBytes: whole + idsBytes,
      availableBytes: Math.min(budgetBytes, KERNEL_LIMIT_BYTES),
      stage: 'open',
      help: 'preload and threads want the whole index in memory, 4 GiB of it at most; without them pages come as they are needed',
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
      help: 'this is what a search needs at the least, beside its pages; pass a larger memory',
    })
  }
  return { pageBytes, idsBytes: idsShare, kernelBytes: pageBytes + fixedBytes + tableBytes }
}
