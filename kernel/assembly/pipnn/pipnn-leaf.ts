// Leaves, step 2: each member's k nearest of its leaf, offered to both members' reservoirs.
import { nearestI32 } from '../distance/nearest'
import { offer } from './pipnn-reservoir'

// When all k are equally near there may be many more as near, and the lowest of them would be everybody's choice. The
// k that follow the member in the leaf, round its end, spread the links.
@inline
function chooseFollowing(matrix: usize, size: u32, from: u32, k: u32, word: u32, indexes: usize): void {
  let found: u32 = 0
  let at = from
  while (found < k) {
    at = at + 1 === size ? 0 : at + 1
    if (load<u32>(matrix + ((<usize>at) << 2)) !== word) continue
    store<u32>(indexes + ((<usize>found) << 2), at)
    found++
  }
}

/**
 * matrix: distance words of the leaf's members [firstRow, firstRow + rowCount) to all its members, rows of `stride`.
 * list: the leaf's members. 1 <= k < size. scratch: u32 x 2k.
 */
export function pipnnOffer(
  list: usize,
  size: u32,
  firstRow: u32,
  rowCount: u32,
  matrix: usize,
  stride: u32,
  k: u32,
  records: usize,
  recordBytes: u32,
  capacity: u32,
  scratch: usize,
): void {
  const words = scratch + ((<usize>k) << 2)
  for (let r: u32 = 0; r < rowCount; r++) {
    const member = load<u32>(list + ((<usize>(firstRow + r)) << 2))
    // No distance reaches this word: a member is never its own neighbour.
    store<u32>(matrix + ((<usize>(firstRow + r)) << 2), u32.MAX_VALUE)
    nearestI32(matrix, size, k, scratch, words)
    const nearest = load<u32>(words)
    if (k > 1 && load<u32>(words + ((<usize>(k - 1)) << 2)) === nearest) {
      chooseFollowing(matrix, size, firstRow + r, k, nearest, scratch)
    }
    for (let i: u32 = 0; i < k; i++) {
      const other = load<u32>(list + ((<usize>load<u32>(scratch + ((<usize>i) << 2))) << 2))
      const word = load<u32>(words + ((<usize>i) << 2))
      offer(records, recordBytes, capacity, member, other, word)
      offer(records, recordBytes, capacity, other, member, word)
    }
    matrix += (<usize>stride) << 2
  }
}
