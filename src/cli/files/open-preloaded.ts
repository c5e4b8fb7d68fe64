import { InsufficientMemoryError } from '../../errors.js'
import type { VectorIndex } from '../../search/vector-index.js'

/**
 * Opens an index for a command that measures speed: preloaded, so that no search waits for a first read, or page by
 * page when it does not fit in memory. @throws as `openIndex`
 */
export async function openPreloaded(path: string, memory: number | string | undefined): Promise<VectorIndex> {
  // Loaded here, so that other commands start faster.
  const { openIndex } = await import('../../live/open-index.js')
  const options = memory === undefined ? {} : { memory }
  try {
    return await openIndex(path, { ...options, preload: true })
  } catch (error) {
    if (!(error instanceof InsufficientMemoryError)) throw error
    return openIndex(path, options)
  }
}
