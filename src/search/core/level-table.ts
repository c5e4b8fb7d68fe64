/** Upper levels in a kernel's memory, where kernel/assembly/search/search.ts walks down them. */
import type { Kernel } from '../../../kernel/kernel.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'
import { ALIGN_BYTES } from './search-context.js'

const LEVEL_TABLE_BYTES = 12

/** Allocates the table of addresses (nodes, down, links of each level) of levels that lie in the kernel's memory. */
export function levelTable(kernel: Kernel, levels: readonly UpperLevel[]): number {
  const addresses = levels.flatMap(({ nodes, down, links }) =>
    [nodes, down, links].map((part) => kernel.addressOf(part)),
  )
  const table = kernel.alloc(LEVEL_TABLE_BYTES * levels.length, ALIGN_BYTES)
  kernel.u32(table, addresses.length).set(addresses)
  return table
}

/** Copies the levels into the kernel's memory; the result is views of the copies. */
export function copyLevels(kernel: Kernel, levels: readonly UpperLevel[]): UpperLevel[] {
  const words = (length: number): number => kernel.alloc(4 * length, ALIGN_BYTES)
  const places = levels.map(({ nodes, down, links }) => [words(nodes.length), words(down.length), words(links.length)])
  return levels.map((level, i) => {
    const [nodes, down, links] = [level.nodes, level.down, level.links].map((from, part) => {
      const copy = kernel.u32(places[i][part], from.length)
      copy.set(from)
      return copy
    })
    return { nodes, down, links }
  })
}
