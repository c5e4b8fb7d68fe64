// Whether a search may follow words from a file. src/format/graph/check-links.ts and check-upper.ts have the same rules
// in JavaScript, and the messages. An index is opened once per process, while JavaScript is not optimised yet and slow.

/** The first row with more than maxLinks links, or with a link to no target. */
export function firstUnsafeRow(rows: usize, rowCount: u32, maxLinks: u32, targetCount: u32): u32 {
  const limit = i32x4.splat(<i32>targetCount)
  const rowBytes = (<usize>maxLinks + 1) << 2
  let row = rows
  for (let r: u32 = 0; r < rowCount; r++) {
    const count = load<u32>(row)
    if (count > maxLinks) return r
    let at = row + 4
    const end = at + (<usize>count << 2)
    for (; at + 16 <= end; at += 16) {
      if (!v128.all_true<i32>(v128.lt<u32>(v128.load(at), limit))) return r
    }
    for (; at < end; at += 4) if (load<u32>(at) >= targetCount) return r
    row += rowBytes
  }
  return rowCount
}

/**
 * The first of a level's entries whose node does not exist, does not ascend, or does not lead down to itself. Level 1
 * leads down to the nodes themselves.
 */
export function firstUnsafeEntry(
  nodes: usize, down: usize, count: u32, below: usize, belowCount: u32, nodeCount: u32,
): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2
    const node = load<u32>(nodes + at)
    if (node >= nodeCount || (i > 0 && node <= load<u32>(nodes + at - 4))) return i
    const to = load<u32>(down + at)
    if (below == 0) {
      if (to != node) return i
    } else if (to >= belowCount || load<u32>(below + (<usize>to << 2)) != node) return i
  }
  return count
}
