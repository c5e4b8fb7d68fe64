// Finds the rows of each node among all shard rows of a segment. A row is u32 words, nearest neighbours first:
//
//     [node][count][count x neighbour][count x distance word]
//
// The rows of the segment's i-th node are places[starts[i] .. starts[i + 1]): the addresses of their counts.

/** Node and count. */
const HEAD_BYTES: usize = 8

export function mergeCountRows(rows: usize, bytes: u32, firstNode: u32, count: u32, starts: usize): u32 {
  memory.fill(starts, 0, (<usize>count + 2) << 2)
  const end = rows + bytes
  for (let row = rows; row < end; row += HEAD_BYTES + ((<usize>load<u32>(row, 4)) << 3)) {
    const at = starts + ((<usize>(load<u32>(row) - firstNode + 2)) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  // Starts stand one place too far, because filling the places moves each start up to the next one.
  let total: u32 = 0
  for (let i: u32 = 2; i < count + 2; i++) {
    const at = starts + ((<usize>i) << 2)
    total += load<u32>(at)
    store<u32>(at, total)
  }
  return total
}

export function mergePlaceRows(
  rows: usize, bytes: u32, firstNode: u32, count: u32, starts: usize, places: usize,
): u32 {
  const end = rows + bytes
  for (let row = rows; row < end; row += HEAD_BYTES + ((<usize>load<u32>(row, 4)) << 3)) {
    const at = starts + ((<usize>(load<u32>(row) - firstNode + 1)) << 2)
    const place = load<u32>(at)
    store<u32>(places + ((<usize>place) << 2), <u32>(row + 4))
    store<u32>(at, place + 1)
  }
  let widest: u32 = 0
  for (let i: u32 = 0; i < count; i++) widest = max<u32>(widest, candidatesOf(starts, places, i))
  return widest
}

/** The entries in all rows of a node. */
@inline
export function candidatesOf(starts: usize, places: usize, i: u32): u32 {
  const end = load<u32>(starts + ((<usize>i) << 2), 4)
  let sum: u32 = 0
  for (let r = load<u32>(starts + ((<usize>i) << 2)); r < end; r++) {
    sum += load<u32>(<usize>load<u32>(places + ((<usize>r) << 2)))
  }
  return sum
}
