// The k smallest of a row of distances, ascending, ties by lower index.
//
// Distances are never negative, so their u32 bit patterns order as the values do, in i32 and in f32, and one function
// serves both. Elements come in no order, so branches on them cannot be predicted and dominate the cost. A first pass
// therefore finds a bound, and a second pass finds the few elements within it:
//
//     column minima   | m0 m1 m2 m3 | m4 .. m7 | m8 .. m11 | m12 .. m15 |     of the elements i, i + 16, i + 32, ...
//
// At least k elements are within the k-th smallest of these minima, and rarely many more: 7 or 8 of 512 where k is 6.
// They are ordered by counting, for each, the elements before it. Short rows, larger k and rows with many equal
// elements take one pass of insertions into a sorted list instead.

const COLUMNS: u32 = 16
/** Below this length one pass is as fast (measured with k = 6). */
const MIN_TWO_PASSES: u32 = 64
/** Elements that the second pass may find: as `word << 32 | index` in FOUND, the same in order in ORDERED. */
const MAX_FOUND: u32 = 64
const FOUND: usize = memory.data(512 + 32, 16)
const ORDERED: usize = memory.data(512, 16)

@inline
function lowerCount(a: v128, b: v128, c: v128, d: v128, than: v128): v128 {
  return v128.add<i32>(
    v128.add<i32>(v128.gt<i32>(than, a), v128.gt<i32>(than, b)),
    v128.add<i32>(v128.gt<i32>(than, c), v128.gt<i32>(than, d)),
  )
}

@inline
function rotated(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 1, 2, 3, 0)
}

/** `x` where fewer than k of the 16 values are lower, else the lowest i32. `limit` holds -k. */
@inline
function lowRanked(x: v128, a: v128, b: v128, c: v128, d: v128, limit: v128): v128 {
  // Comparisons give -1. Each rotation compares every value with four others, so four rotations compare it with all.
  let count = lowerCount(a, b, c, d, x)
  a = rotated(a)
  b = rotated(b)
  c = rotated(c)
  d = rotated(d)
  count = v128.add<i32>(count, lowerCount(a, b, c, d, x))
  a = rotated(a)
  b = rotated(b)
  c = rotated(c)
  d = rotated(d)
  count = v128.add<i32>(count, lowerCount(a, b, c, d, x))
  a = rotated(a)
  b = rotated(b)
  c = rotated(c)
  d = rotated(d)
  count = v128.add<i32>(count, lowerCount(a, b, c, d, x))
  return v128.bitselect(x, i32x4.splat(i32.MIN_VALUE), v128.gt<i32>(count, limit))
}

/** The k-th smallest column minimum of the first `blocks` x 16 elements; 1 <= k <= 16. */
@inline
export function boundFor(row: usize, blocks: u32, k: u32): u32 {
  let a = v128.load(row)
  let b = v128.load(row, 16)
  let c = v128.load(row, 32)
  let d = v128.load(row, 48)
  for (let i: u32 = 1; i < blocks; i++) {
    row += 64
    a = i32x4.min_u(a, v128.load(row))
    b = i32x4.min_u(b, v128.load(row, 16))
    c = i32x4.min_u(c, v128.load(row, 32))
    d = i32x4.min_u(d, v128.load(row, 48))
  }
  // With the sign bit flipped, u32 values order as i32, whose comparison is one instruction.
  const flip = i32x4.splat(i32.MIN_VALUE)
  a = v128.xor(a, flip)
  b = v128.xor(b, flip)
  c = v128.xor(c, flip)
  d = v128.xor(d, flip)
  const limit = i32x4.splat(-(<i32>k))
  let highest = i32x4.max_s(
    i32x4.max_s(lowRanked(a, a, b, c, d, limit), lowRanked(b, a, b, c, d, limit)),
    i32x4.max_s(lowRanked(c, a, b, c, d, limit), lowRanked(d, a, b, c, d, limit)),
  )
  highest = i32x4.max_s(highest, v128.shuffle<i32>(highest, highest, 2, 3, 0, 1))
  highest = i32x4.max_s(highest, v128.shuffle<i32>(highest, highest, 1, 0, 3, 2))
  return i32x4.extract_lane(highest, 0) ^ 0x80000000
}

/** A bit for each of 16 elements, set when it is not above the bound. */
@inline
export function maskUpTo(at: usize, bound: v128): u32 {
  const low = i16x8.narrow_i32x4_s(v128.le<u32>(v128.load(at), bound), v128.le<u32>(v128.load(at, 16), bound))
  const high = i16x8.narrow_i32x4_s(v128.le<u32>(v128.load(at, 32), bound), v128.le<u32>(v128.load(at, 48), bound))
  return i8x16.bitmask(i8x16.narrow_i16x8_s(low, high))
}

/** Writes the elements not above the bound to FOUND and returns their number. More than MAX_FOUND are not written. */
@inline
function findUpTo(row: usize, count: u32, bound: u32): u32 {
  const bounds = i32x4.splat(bound)
  let size: u32 = 0
  let i: u32 = 0
  for (; count - i >= 64; i += 64) {
    const at = row + ((<usize>i) << 2)
    let mask =
      (<u64>maskUpTo(at, bounds)) |
      ((<u64>maskUpTo(at + 64, bounds)) << 16) |
      ((<u64>maskUpTo(at + 128, bounds)) << 32) |
      ((<u64>maskUpTo(at + 192, bounds)) << 48)
    if (size + <u32>popcnt<u64>(mask) > MAX_FOUND) return MAX_FOUND + 1
    for (; mask !== 0; mask &= mask - 1) {
      const index = i + <u32>ctz<u64>(mask)
      const word = load<u32>(row + ((<usize>index) << 2))
      store<u64>(FOUND + ((<usize>size) << 3), ((<u64>word) << 32) | index)
      size++
    }
  }
  for (; i < count; i++) {
    const word = load<u32>(row + ((<usize>i) << 2))
    if (word > bound) continue
    if (size === MAX_FOUND) return MAX_FOUND + 1
    store<u64>(FOUND + ((<usize>size) << 3), ((<u64>word) << 32) | i)
    size++
  }
  return size
}

@inline
function putOrdered(size: u32, k: u32, indexes: usize, words: usize): void {
  const end = FOUND + ((<usize>size) << 3)
  const last = i64x2.splat(i64.MAX_VALUE)
  v128.store(end, last)
  v128.store(end, last, 16)
  for (let at = FOUND; at < end; at += 8) {
    const entry = v128.load64_splat(at)
    let before = v128.gt<i64>(entry, v128.load(FOUND))
    let more = v128.gt<i64>(entry, v128.load(FOUND, 16))
    for (let other = FOUND + 32; other < end; other += 32) {
      before = v128.add<i64>(before, v128.gt<i64>(entry, v128.load(other)))
      more = v128.add<i64>(more, v128.gt<i64>(entry, v128.load(other, 16)))
    }
    before = v128.add<i64>(before, more)
    const place = -<i32>(i64x2.extract_lane(before, 0) + i64x2.extract_lane(before, 1))
    v128.store_lane<i64>(ORDERED + ((<usize>place) << 3), entry, 0)
  }
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) {
    store<u32>(indexes + i, load<u32>(ORDERED + (i << 1)))
    store<u32>(words + i, load<u32>(ORDERED + (i << 1), 4))
  }
}

@inline
function insert(indexes: usize, words: usize, last: u32, index: u32, word: u32): void {
  let at = (<usize>last) << 2
  while (at > 0) {
    const before = load<u32>(words + at - 4)
    if (before <= word) break
    store<u32>(words + at, before)
    store<u32>(indexes + at, load<u32>(indexes + at - 4))
    at -= 4
  }
  store<u32>(words + at, word)
  store<u32>(indexes + at, index)
}

@inline
function insertAll(row: usize, count: u32, found: u32, indexes: usize, words: usize): void {
  const worstAt = words + ((<usize>(found - 1)) << 2)
  let i: u32 = 0
  for (; i < found; i++) insert(indexes, words, i, i, load<u32>(row + ((<usize>i) << 2)))
  let bound = load<u32>(worstAt)
  for (; count - i >= COLUMNS; i += COLUMNS) {
    const at = row + ((<usize>i) << 2)
    const low = i32x4.min_u(
      i32x4.min_u(v128.load(at), v128.load(at, 16)),
      i32x4.min_u(v128.load(at, 32), v128.load(at, 48)),
    )
    const bounds = i32x4.splat(bound)
    if (v128.all_true<i32>(v128.ge<u32>(low, bounds))) continue
    for (let mask = maskUpTo(at, bounds); mask !== 0; mask &= mask - 1) {
      const place = ctz<u32>(mask)
      const word = load<u32>(at + ((<usize>place) << 2))
      if (word >= bound) continue
      insert(indexes, words, found - 1, i + place, word)
      bound = load<u32>(worstAt)
    }
  }
  for (; i < count; i++) {
    const word = load<u32>(row + ((<usize>i) << 2))
    if (word >= bound) continue
    insert(indexes, words, found - 1, i, word)
    bound = load<u32>(worstAt)
  }
}

export function nearestWords(row: usize, count: u32, k: u32, indexes: usize, words: usize): u32 {
  const found = min<u32>(count, k)
  if (found === 0) return 0
  if (k <= COLUMNS && count >= MIN_TWO_PASSES) {
    const bound = boundFor(row, count / COLUMNS, k)
    // putOrdered compares as i64: words with the sign bit (NaN, no distance) take the other way.
    const size = bound <= <u32>i32.MAX_VALUE ? findUpTo(row, count, bound) : MAX_FOUND + 1
    if (size <= MAX_FOUND) {
      putOrdered(size, k, indexes, words)
      return found
    }
  }
  insertAll(row, count, found, indexes, words)
  return found
}
