// The rows of the shard graph: up to `degree` pairs (neighbour, distance word) per member, sorted by word, then
// neighbour.
//
//     counts, u32 x members     neighbours, u32 x members x degree     words, u32 x members x degree

/** Fields: PIPNN_ROWS in kernel/blocks.ts. */
@unmanaged
export class PipnnRows {
  count!: u32
  degree!: u32
  counts!: usize
  neighbours!: usize
  words!: usize
}

/** Sorted insertion into a row of at most `degree`: drops the farthest of a full row, and adds nothing twice. */
@inline
export function insertLink(rows: PipnnRows, member: u32, neighbour: u32, word: u32): void {
  const degree = rows.degree
  const countAt = rows.counts + ((<usize>member) << 2)
  const row = (<usize>member * degree) << 2
  const rowNeighbours = rows.neighbours + row
  const rowWords = rows.words + row
  const count = load<u32>(countAt)
  let at = count
  for (; at > 0; at--) {
    const before = load<u32>(rowWords + ((<usize>(at - 1)) << 2))
    if (before < word) break
    if (before > word) continue
    const other = load<u32>(rowNeighbours + ((<usize>(at - 1)) << 2))
    if (other === neighbour) return
    if (other < neighbour) break
  }
  if (at === degree) return
  let last = count
  if (count < degree) store<u32>(countAt, count + 1)
  else last = degree - 1
  for (; last > at; last--) {
    const to = (<usize>last) << 2
    store<u32>(rowWords + to, load<u32>(rowWords + to - 4))
    store<u32>(rowNeighbours + to, load<u32>(rowNeighbours + to - 4))
  }
  store<u32>(rowWords + ((<usize>at) << 2), word)
  store<u32>(rowNeighbours + ((<usize>at) << 2), neighbour)
}

export function pipnnCompact(rows: PipnnRows, maxDegree: u32, offsets: usize): u32 {
  const count = rows.count
  const degree = rows.degree
  const counts = rows.counts
  const neighbours = rows.neighbours
  const words = rows.words
  let end: u32 = 0
  for (let member: u32 = 0; member < count; member++) {
    store<u32>(offsets + ((<usize>member) << 2), end)
    const size = min<u32>(load<u32>(counts + ((<usize>member) << 2)), maxDegree)
    const row = (<usize>member * degree) << 2
    for (let i: u32 = 0; i < size; i++) {
      const from = row + ((<usize>i) << 2)
      const to = (<usize>end) << 2
      store<u32>(neighbours + to, load<u32>(neighbours + from))
      store<u32>(words + to, load<u32>(words + from))
      end++
    }
  }
  store<u32>(offsets + ((<usize>count) << 2), end)
  return end
}
