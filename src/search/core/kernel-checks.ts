/** Checks everything that a search follows, with the kernel, on words in its memory. */
import type { Kernel } from '../../../kernel/kernel.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'

/** The checks throw RangeError for words outside the kernel's memory. */
export function kernelChecks(kernel: Kernel): SafetyChecks {
  const { fn } = kernel
  const found = (at: number, count: number): number | undefined => (at >>> 0 === count ? undefined : at >>> 0)
  return {
    firstUnsafeRow(words, maxLinks, targetCount) {
      const rowCount = words.length / (1 + maxLinks)
      return found(fn.firstUnsafeRow(kernel.addressOf(words), rowCount, maxLinks, targetCount), rowCount)
    },
    firstUnsafeEntry({ nodes, down, below, count }) {
      const [nodesAt, downAt] = [kernel.addressOf(nodes), kernel.addressOf(down)]
      const belowAt = below === undefined ? 0 : kernel.addressOf(below)
      const at = fn.firstUnsafeEntry(nodesAt, downAt, nodes.length, belowAt, below?.length ?? 0, count)
      return found(at, nodes.length)
    },
  }
}
