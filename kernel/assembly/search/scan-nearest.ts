// Exact search: compares a query with every row of a matrix of f32 rows that counts. Distances are those of search-f32.ts
// to the bit, so that a row keeps its distance when it moves into an index.
//
// The best are a heap of u64 keys with the worst at its root: the distance's ordered bits above, the row below. Rows
// come in ascending order, so a row at the worst distance never displaces another.
import { fromOrderedBits, orderedBits } from './ordered-bits'
import { COSINE, L2 } from './search-context'
import { four } from './search-f32'

/**
 * Rows at once. With eight, or with rows touched before, 10,000 x 128 and x 768 take as long: the scan waits for memory.
 */
const GROUP: u32 = 4

/** As kernel/blocks.ts says. */
@unmanaged
export class ScanNearest {
  rows!: usize
  stride!: u32
  count!: u32
  dimensions!: u32
  metric!: u32
  alive!: usize
  keeps!: usize
  query!: usize
  k!: u32
  best!: usize
  group!: usize
}

/** The distances of the four rows in the group, behind their numbers. Those beyond `worst` may be any larger value. */
@inline
function groupDistances(l2: bool, b: ScanNearest, bias: f32, worst: f32): void {
  const group = b.group
  const rows = b.rows
  const stride = <usize>b.stride
  four(
    l2, false, b.query, rows + <usize>load<u32>(group) * stride, rows + <usize>load<u32>(group, 4) * stride,
    rows + <usize>load<u32>(group, 8) * stride, rows + <usize>load<u32>(group, 12) * stride, b.dimensions, bias,
    group + (GROUP << 2), worst,
  )
}

@inline
function keyAt(best: usize, at: u32): u64 {
  return load<u64>(best + (<usize>at << 3))
}

@inline
function setKey(best: usize, at: u32, key: u64): void {
  store<u64>(best + (<usize>at << 3), key)
}

/** Adds a key to the heap, whose last place is `last` from now on. */
function siftUp(best: usize, last: u32, key: u64): void {
  let at = last
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = keyAt(best, parent)
    if (above >= key) break
    setKey(best, at, above)
    at = parent
  }
  setKey(best, at, key)
}

/** Puts a key in the place of the root of a heap of `size` keys. */
function siftDown(best: usize, size: u32, key: u64): void {
  let at: u32 = 0
  for (;;) {
    let child: u32 = 2 * at + 1
    if (child >= size) break
    if (child + 1 < size && keyAt(best, child + 1) > keyAt(best, child)) child++
    const below = keyAt(best, child)
    if (below <= key) break
    setKey(best, at, below)
    at = child
  }
  setKey(best, at, key)
}

/** Offers the first `rows` of the group to the heap of `held` keys. Returns how many it holds then. */
@inline
function offerGroup(l2: bool, b: ScanNearest, bias: f32, rows: u32, heldBefore: u32): u32 {
  const best = b.best
  const k = b.k
  let held = heldBefore
  let worst = held == k ? fromOrderedBits(<u32>(keyAt(best, 0) >> 32)) : <f32>Infinity
  groupDistances(l2, b, bias, worst)
  const group = b.group
  const distances = group + (GROUP << 2)
  if (held == k && !v128.any_true(v128.lt<f32>(v128.load(distances), f32x4.splat(worst)))) return held
  for (let i: u32 = 0; i < rows; i++) {
    const distance = load<f32>(distances + (<usize>i << 2))
    if (held == k && !(distance < worst)) continue
    const key = ((<u64>orderedBits(distance)) << 32) | <u64>load<u32>(group + (<usize>i << 2))
    if (held < k) siftUp(best, held++, key)
    else siftDown(best, k, key)
    if (held == k) worst = fromOrderedBits(<u32>(keyAt(best, 0) >> 32))
  }
  return held
}

/** Leaves the best in a heap. Always inlined, so `l2` costs nothing. */
@inline
function scan(l2: bool, b: ScanNearest): u32 {
  const bias: f32 = b.metric == COSINE ? 1 : 0
  const group = b.group
  const words = (b.count + 31) >> 5
  const keeps = b.keeps
  let held: u32 = 0
  let pending: u32 = 0
  for (let word: u32 = 0; word < words; word++) {
    const at = <usize>word << 2
    let bits = load<u32>(b.alive + at)
    if (keeps != 0) bits &= load<u32>(keeps + at)
    while (bits != 0) {
      store<u32>(group + (<usize>pending << 2), (word << 5) | ctz(bits))
      bits &= bits - 1
      if (++pending < GROUP) continue
      held = offerGroup(l2, b, bias, GROUP, held)
      pending = 0
    }
  }
  if (pending == 0) return held
  const last = load<u32>(group + (<usize>(pending - 1) << 2))
  for (let i = pending; i < GROUP; i++) store<u32>(group + (<usize>i << 2), last)
  return offerGroup(l2, b, bias, pending, held)
}

/** Turns the heap into (u32 row, f32 distance) pairs, ascending. */
function sortBest(best: usize, held: u32): void {
  for (let size = held; size > 1; size--) {
    const last = keyAt(best, size - 1)
    setKey(best, size - 1, keyAt(best, 0))
    siftDown(best, size - 1, last)
  }
  for (let i: u32 = 0; i < held; i++) {
    const slot = best + (<usize>i << 3)
    store<f32>(slot, fromOrderedBits(load<u32>(slot, 4)), 4)
  }
}

export function scanNearest(block: usize): u32 {
  const b = changetype<ScanNearest>(block)
  if (b.k == 0) return 0
  const held = b.metric == L2 ? scan(true, b) : scan(false, b)
  sortBest(b.best, held)
  return held
}
