// Leaves, step 2: each member and its k nearest in the leaf are offered to each other's reservoirs, and so are far ones.
import { nearestWords } from '../distance/nearest'
import { farLimit, narrow, offer, offerFar } from './pipnn-reservoir'
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
    narrow(records + <usize>member * recordBytes, load<u32>(words + ((<usize>(k - 1)) << 2)))
    matrix += (<usize>stride) << 2
  }
}

/** The index of the nearest in row[from, to) beyond `limit`; `to` when there is none. */
@inline
function nearestBeyond(limit: u32, row: usize, from: u32, to: u32): u32 {
  let best = to
  let word = u32.MAX_VALUE
  for (let i = from; i < to; i++) {
    const other = load<u32>(row + ((<usize>i) << 2))
    if (other > limit && other < word) {
      word = other
      best = i
    }
  }
  return best
}

/**
 * Offers each member of a leaf and the nearest of a few landmarks to the far reservoirs of both, for landmarks of five
 * scales: the members [0, 8), [8, 16), [16, 32), [32, 64) and [64, 128) of the leaf, whose members are in no order. This is
 * what the first insertions do in HNSW (arXiv 1603.09320, section 4): the nearest of a few are far. After pipnnOffer.
 */
export function pipnnOfferFar(shard: PipnnShard, isFloat: bool, list: usize, size: u32, matrix: usize, stride: u32): void {
  for (let r: u32 = 0; r < size; r++) {
    const member = load<u32>(list + ((<usize>r) << 2))
    const limit = farLimit(shard.records + <usize>member * shard.recordBytes, isFloat)
    let from: u32 = 0
    for (let to: u32 = 8; from < size && to <= 128; to <<= 1) {
      const end = min<u32>(to, size)
      const at = nearestBeyond(limit, matrix, from, end)
      if (at < end) {
        const word = load<u32>(matrix + ((<usize>at) << 2))
        const other = load<u32>(list + ((<usize>at) << 2))
        offerFar(shard, isFloat, member, other, word)
        offerFar(shard, isFloat, other, member, word)
      }
      from = to
    }
    matrix += (<usize>stride) << 2
  }
}
