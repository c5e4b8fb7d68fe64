// Leaves, step 2: each member and its k nearest in the leaf are offered to each other's reservoirs.
import { nearestWords } from '../distance/nearest'
import { narrow, offer } from './pipnn-reservoir'
import { PipnnShard } from './pipnn-shard'

// When all k are equally near, many more may be as near, and every member would choose the lowest of them. The k that
// follow the member in the leaf, wrapping at its end, spread the links.
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

export function pipnnOffer(shard: PipnnShard, list: usize, size: u32, matrix: usize, stride: u32, k: u32): void {
  const records = shard.records
  const recordBytes = shard.recordBytes
  const capacity = shard.capacity
  const scratch = shard.scratch
  const words = scratch + ((<usize>k) << 2)
  for (let r: u32 = 0; r < size; r++) {
    const member = load<u32>(list + ((<usize>r) << 2))
    // Above every distance word, so that a member is never its own neighbour.
    store<u32>(matrix + ((<usize>r) << 2), u32.MAX_VALUE)
    nearestWords(matrix, size, k, scratch, words)
    const nearest = load<u32>(words)
    if (k > 1 && load<u32>(words + ((<usize>(k - 1)) << 2)) === nearest) {
      chooseFollowing(matrix, size, r, k, nearest, scratch)
    }
    for (let i: u32 = 0; i < k; i++) {
      const other = load<u32>(list + ((<usize>load<u32>(scratch + ((<usize>i) << 2))) << 2))
      const word = load<u32>(words + ((<usize>i) << 2))
      offer(records, recordBytes, capacity, member, other, word)
      offer(records, recordBytes, capacity, other, member, word)
    }
    narrow(records + <usize>member * recordBytes, nearest)
    matrix += (<usize>stride) << 2
  }
}
