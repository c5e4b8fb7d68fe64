/** How the memory of an open index is divided between its base and the changes since. Pure. */
import type { OpenOptions } from '../../api/search.js'
import { parseByteSize } from '../../memory/byte-size.js'
import { decideBudget, readMemoryFacts } from '../../memory/memory-budget.js'
import { LIVE_LIMITS } from './limits.js'

/** Of the memory; the rest is the base's. */
const CHANGES_SHARE = 1 / 4

/** Options to open the base with, and each sealed part. Changes in memory take what parts leave of their share. */
export function shareMemory(options: OpenOptions): { readonly base: OpenOptions; readonly part: OpenOptions } {
  const bytes =
    options.memory === undefined
      ? decideBudget(undefined, readMemoryFacts()).budgetBytes
      : parseByteSize(options.memory, 'memory')
  const changes = Math.floor(bytes * CHANGES_SHARE)
  return {
    base: { ...options, memory: bytes - changes },
    part: { ...options, memory: Math.floor(changes / (LIVE_LIMITS.maxParts + 1)), threads: 1, preload: false },
  }
}
