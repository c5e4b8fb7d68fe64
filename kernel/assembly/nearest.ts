// The k smallest of a row of distances, ascending, ties by lower index: insertion into a short sorted list.
//
// Distances are never negative, so their u32 bit patterns order as the values do, in i32 and in f32, and one function
// serves both. What counts is to reject the rest fast: 16 elements are compared with a bound in one step, and for
// small k a first pass over the row finds a bound that few elements pass:
//
//     column minima   | m0 m1 m2 m3 | m4 .. m7 | m8 .. m11 | m12 .. m15 |     of the elements i, i + 16, i + 32, ...
//     sorted by lane  | the four smallest, one a lane's | .. | .. | the four largest |
//
// The largest of the first v of these vectors is a bound that at least 4v elements reach.

/** Below this length one pass is as fast: measured with k = 6. */
const MIN_TWO_PASSES: u32 = 64
const COLUMNS: u32 = 16

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

/** A value that at least k of the first `blocks` x 16 elements do not exceed; k <= 16. */
@inline
function boundFor(row: usize, blocks: u32, k: u32): u32 {
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
  // A sorting network of five exchanges, in all lanes at once.
  const ab = i32x4.min_u(a, b)
  const AB = i32x4.max_u(a, b)
  const cd = i32x4.min_u(c, d)
  const CD = i32x4.max_u(c, d)
  const smallest = i32x4.min_u(ab, cd)
  const x = i32x4.max_u(ab, cd)
  const y = i32x4.min_u(AB, CD)
  let largest = k <= 4 ? smallest : k <= 8 ? i32x4.min_u(x, y) : k <= 12 ? i32x4.max_u(x, y) : i32x4.max_u(AB, CD)
  largest = i32x4.max_u(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1))
  largest = i32x4.max_u(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2))
  return i32x4.extract_lane(largest, 0)
}

@inline
function maskBelow(at: usize, bound: v128): u32 {
  return (
    i32x4.bitmask(v128.lt<u32>(v128.load(at), bound)) |
    (i32x4.bitmask(v128.lt<u32>(v128.load(at, 16), bound)) << 4) |
    (i32x4.bitmask(v128.lt<u32>(v128.load(at, 32), bound)) << 8) |
    (i32x4.bitmask(v128.lt<u32>(v128.load(at, 48), bound)) << 12)
  )
}

@inline
function nearest(row: usize, count: u32, k: u32, indexes: usize, words: usize): u32 {
  const found = min<u32>(count, k)
  if (found === 0) return 0
  const worstAt = words + ((<usize>(found - 1)) << 2)
  let size: u32 = 0
  let i: u32 = 0
  let bound = u32.MAX_VALUE
  if (k <= COLUMNS && count >= MIN_TWO_PASSES) bound = boundFor(row, count / COLUMNS, k)
  if (bound !== u32.MAX_VALUE) bound++
  else {
    for (; size < found; size++) insert(indexes, words, size, size, load<u32>(row + ((<usize>size) << 2)))
    i = size
    bound = load<u32>(worstAt)
  }
  for (; count - i >= COLUMNS; i += COLUMNS) {
    const at = row + ((<usize>i) << 2)
    const low = i32x4.min_u(
      i32x4.min_u(v128.load(at), v128.load(at, 16)),
      i32x4.min_u(v128.load(at, 32), v128.load(at, 48)),
    )
    const bounds = i32x4.splat(bound)
    if (!v128.any_true(v128.lt<u32>(low, bounds))) continue
    for (let mask = maskBelow(at, bounds); mask !== 0; mask &= mask - 1) {
      const place = ctz<u32>(mask)
      const word = load<u32>(at + ((<usize>place) << 2))
      if (word >= bound) continue
      insert(indexes, words, size < found ? size : found - 1, i + place, word)
      if (size < found) size++
      if (size === found) bound = load<u32>(worstAt)
    }
  }
  for (; i < count; i++) {
    const word = load<u32>(row + ((<usize>i) << 2))
    if (word >= bound) continue
    insert(indexes, words, size < found ? size : found - 1, i, word)
    if (size < found) size++
    if (size === found) bound = load<u32>(worstAt)
  }
  return found
}

export function nearestI32(row: usize, count: u32, k: u32, outIndex: usize, outDistance: usize): u32 {
  return nearest(row, count, k, outIndex, outDistance)
}

export function nearestF32(row: usize, count: u32, k: u32, outIndex: usize, outDistance: usize): u32 {
  return nearest(row, count, k, outIndex, outDistance)
}
