import { InsufficientMemoryError } from '../../errors.js'
import type { VectorIndex } from '../../search/vector-index.js'

/**
 * For a command that measures speed: all of the index in memory, so that no figure is one of first reads. An index that does
 * not fit is opened without. @throws as `openIndex`
 */
export async function openPreloaded(path: string, memory: number | string | undefined): Promise<VectorIndex> {
  // Loaded when it is wanted, so that other commands start without it.
  const { openIndex } = await import('../../search/open-index.js')
  const options = memory === undefined ? {} : { memory }
  try {
    return await openIndex(path, { ...options, preload: true })
  } catch (error) {
    if (!(error instanceof InsufficientMemoryError)) throw error
    return openIndex(path, options)
  }
}
