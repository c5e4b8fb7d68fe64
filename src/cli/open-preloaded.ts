import { InsufficientMemoryError } from '../errors.js'
import { openIndex } from '../search/open-index.js'
import type { Index } from '../search/index-reader.js'

/**
 * For a command that measures speed: all of the index in memory, so that no figure is one of first reads. An index that does
 * not fit is opened without. @throws as `openIndex`
 */
export async function openPreloaded(path: string, memory: number | string | undefined): Promise<Index> {
  const options = memory === undefined ? {} : { memory }
  try {
    return await openIndex(path, { ...options, preload: true })
  } catch (error) {
    if (!(error instanceof InsufficientMemoryError)) throw error
    return openIndex(path, options)
  }
}
