// The k smallest of a row of distances, ascending, ties by lower index: insertion into a short sorted list.
//
// Distances are never negative, so their u32 bit patterns order as the values do, in i32 and in f32, and one function
// serves both. Once the list is full nearly every element is rejected: 16 are compared with the worst at a time.

@inline
function insert(indexes: usize, words: usize, last: u32, index: u32, word: u32): void {
  let at = <usize>last << 2
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
function nearest(row: usize, count: u32, k: u32, indexes: usize, words: usize): u32 {
  const found = min<u32>(count, k)
  if (found === 0) return 0
  let i: u32 = 0
  for (; i < found; i++) insert(indexes, words, i, i, load<u32>(row + (<usize>i << 2)))
  const worstAt = words + (<usize>(found - 1) << 2)
  let worst = load<u32>(worstAt)
  while (i < count) {
    const at = row + (<usize>i << 2)
    if (count - i >= 16) {
      const low = i32x4.min_u(
        i32x4.min_u(v128.load(at), v128.load(at, 16)),
        i32x4.min_u(v128.load(at, 32), v128.load(at, 48)),
      )
      if (!v128.any_true(v128.lt<u32>(low, i32x4.splat(worst)))) {
        i += 16
        continue
      }
    }
    for (const end = i + min<u32>(16, count - i); i < end; i++) {
      const word = load<u32>(row + (<usize>i << 2))
      if (word >= worst) continue
      insert(indexes, words, found - 1, i, word)
      worst = load<u32>(worstAt)
    }
  }
  return found
}

export function nearestI32(row: usize, count: u32, k: u32, outIndex: usize, outDistance: usize): u32 {
  return nearest(row, count, k, outIndex, outDistance)
}

export function nearestF32(row: usize, count: u32, k: u32, outIndex: usize, outDistance: usize): u32 {
  return nearest(row, count, k, outIndex, outDistance)
}
