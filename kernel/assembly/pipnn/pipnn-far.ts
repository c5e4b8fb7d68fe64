// Far candidates: the nearest far one of a few others, as early insertions find them in HNSW (arXiv 1603.09320, section 4).
import { mixed } from './pipnn-mixed'
import { farLimit, offerFar } from './pipnn-reservoir'
import { PipnnShard } from './pipnn-shard'

/** The index of the nearest in row[from, to) beyond `limit`, the lowest of equals; `to` when there is none. */
@inline
function nearestBeyond(limit: u32, row: usize, from: u32, to: u32): u32 {
  let best = to
  let word = u32.MAX_VALUE
  let i = from
  if (to - from >= 4) {
    // Words are below 2^31, but for that of a member with itself, which is -1 here.
    const limits = i32x4.splat(limit)
    const none = i32x4.splat(i32.MAX_VALUE)
    let words = none
    let indexes = i32x4.splat(to)
    let at = v128.add<i32>(i32x4.splat(from), i32x4(0, 1, 2, 3))
    for (; i + 4 <= to; i += 4) {
      const others = v128.load(row + ((<usize>i) << 2))
      const nearer = v128.and(v128.gt<i32>(others, limits), v128.lt<i32>(others, words))
      words = v128.bitselect(others, words, nearer)
      indexes = v128.bitselect(at, indexes, nearer)
      at = v128.add<i32>(at, i32x4.splat(4))
    }
    // The lowest of the lanes' minima; of equals the lowest index.
    let low = i32x4.min_s(words, v128.shuffle<i32>(words, words, 2, 3, 0, 1))
    low = i32x4.min_s(low, v128.shuffle<i32>(low, low, 1, 0, 3, 2))
    const least = i32x4.extract_lane(low, 0)
    if (least !== i32.MAX_VALUE) {
      let places = v128.bitselect(indexes, none, v128.eq<i32>(words, low))
      places = i32x4.min_s(places, v128.shuffle<i32>(places, places, 2, 3, 0, 1))
      places = i32x4.min_s(places, v128.shuffle<i32>(places, places, 1, 0, 3, 2))
      best = i32x4.extract_lane(places, 0)
      word = least
    }
  }
  for (; i < to; i++) {
    const other = load<u32>(row + ((<usize>i) << 2))
    if (other > limit && other < word) {
      word = other
      best = i
    }
  }
  return best
}

/**
 * Offers a member and the nearest far one of `some` columns of its row of distances to the far reservoirs of both. The
 * columns are others for each member. list: the members of the columns, in no order.
 */
@inline
export function offerFarOf(shard: PipnnShard, isFloat: bool, member: u32, row: usize, list: usize, size: u32, some: u32): void {
  const limit = farLimit(shard.records + <usize>member * shard.recordBytes, isFloat)
  const count = min<u32>(some, size)
  const from = <u32>(((<u64>mixed(member ^ (some << 24))) * (size - count + 1)) >> 32)
  const at = nearestBeyond(limit, row, from, from + count)
  if (at === from + count) return
  const word = load<u32>(row + ((<usize>at) << 2))
  const other = load<u32>(list + ((<usize>at) << 2))
  if (other === member) return
  offerFar(shard, isFloat, member, other, word)
  offerFar(shard, isFloat, other, member, word)
}

/** Of 4, 16 and 64 others of a leaf. After pipnnOffer, which measures the radius. */
export function pipnnOfferFar(shard: PipnnShard, isFloat: bool, list: usize, size: u32, matrix: usize, stride: u32): void {
  for (let r: u32 = 0; r < size; r++) {
    const member = load<u32>(list + ((<usize>r) << 2))
    for (let some: u32 = 4; some <= 64; some <<= 2) offerFarOf(shard, isFloat, member, matrix, list, size, some)
    matrix += (<usize>stride) << 2
  }
}
