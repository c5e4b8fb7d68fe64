// Links of ip to the longest rows: the few rows that most inner products are largest with. No prune takes them, for on
// the grid they are far from nearly every node.
import { nearestWords } from '../distance/nearest'

/** Minus this word, products order largest first: it is that of infinity, so nothing below is negative. */
const INFINITE: u32 = 0x7f800000

/** Fields: LONGEST_LINKS in kernel/blocks.ts. */
@unmanaged
export class LongestLinks {
  nodes!: usize
  count!: u32
  perNode!: u32
  maxDegree!: u32
  products!: usize
  found!: usize
}

/** Makes the largest products the smallest words. */
@inline
function turn(row: usize, count: u32): void {
  const infinite = i32x4.splat(INFINITE)
  let at = row
  const end = row + ((<usize>count) << 2)
  for (; at + 16 <= end; at += 16) v128.store(at, v128.sub<i32>(infinite, v128.load(at)))
  for (; at < end; at += 4) store<u32>(at, INFINITE - load<u32>(at))
}

@inline
function contains(links: usize, node: u32): bool {
  const degree = load<u32>(links)
  for (let i: u32 = 1; i <= degree; i++) if (load<u32>(links + ((<usize>i) << 2)) === node) return true
  return false
}

@inline
function append(links: usize, node: u32): void {
  const degree = load<u32>(links) + 1
  store<u32>(links, degree)
  store<u32>(links + ((<usize>degree) << 2), node)
}

export function linkLongest(longest: LongestLinks, links: usize, rowCount: u32, firstNode: u32): i32 {
  const nodes = longest.nodes
  const count = longest.count
  const perNode = longest.perNode
  const maxDegree = longest.maxDegree
  const found = longest.found
  const words = found + ((<usize>perNode + 1) << 2)
  const rest = words + ((<usize>perNode + 1) << 2)
  let products = longest.products
  let added: i32 = 0
  for (let i: u32 = 0; i < rowCount; i++) {
    turn(products, count)
    // One more, because a row may be one of the longest itself.
    const size = nearestWords(products, count, perNode + 1, found, words)
    // The farthest links make room, and come back where too few are found.
    const before = load<u32>(links)
    const kept = min<u32>(before, maxDegree - perNode)
    for (let r = kept; r < before; r++) {
      store<u32>(rest + ((<usize>(r - kept)) << 2), load<u32>(links + ((<usize>r) << 2), 4))
    }
    store<u32>(links, kept)
    for (let f: u32 = 0; f < size && load<u32>(links) < kept + perNode; f++) {
      const at = (<usize>f) << 2
      if (load<u32>(words + at) === INFINITE) break
      const node = load<u32>(nodes + ((<usize>load<u32>(found + at)) << 2))
      if (node !== firstNode + i && !contains(links, node)) append(links, node)
    }
    for (let r = kept; r < before && load<u32>(links) < maxDegree; r++) {
      const node = load<u32>(rest + ((<usize>(r - kept)) << 2))
      if (!contains(links, node)) append(links, node)
    }
    added += load<u32>(links) - before
    products += (<usize>count) << 2
    links += ((<usize>maxDegree) + 1) << 2
  }
  return added
}
