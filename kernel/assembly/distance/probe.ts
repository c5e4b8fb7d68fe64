// The nearest leaders of rows that are compared with one cell of leaders after another.
//
// A row's list has `fanOut` entries `word << 32 | leader`, ascending: one comparison of u64 orders by distance, then by
// leader. So the list is the same in whatever order cells come. A free place has all bits set and comes last.
import { boundFor, maskUpTo } from './nearest'

const COLUMNS: u32 = 16
const MIN_BLOCKS: u32 = 1
const NONE: u32 = 0xffffffff

export function probeGather(
  rows: usize, norms: usize, rowBytes: u32, list: usize, count: u32, outRows: usize, outNorms: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>load<u32>(list + ((<usize>i) << 2))
    store<u32>(outNorms + ((<usize>i) << 2), load<u32>(norms + (at << 2)))
    const row = rows + at * rowBytes
    for (let byte: usize = 0; byte < rowBytes; byte += 16) v128.store(outRows + byte, v128.load(row + byte))
    outRows += rowBytes
  }
}

/** Puts an entry in its place, when it comes before the last one. */
@inline
function keep(list: usize, last: usize, word: u32, leader: u32): void {
  const entry = ((<u64>word) << 32) | leader
  if (entry >= load<u64>(last)) return
  let at = last
  for (; at > list; at -= 8) {
    const before = load<u64>(at - 8)
    if (before < entry) break
    store<u64>(at, before)
  }
  store<u64>(at, entry)
}

export function probeKeep(
  matrix: usize, list: usize, count: u32, leaders: usize, leaderCount: u32, fanOut: u32, best: usize,
): void {
  const listBytes = (<usize>fanOut) << 3
  const blocks = fanOut <= COLUMNS ? leaderCount / COLUMNS : 0
  for (let r: u32 = 0; r < count; r++) {
    const kept = best + <usize>load<u32>(list + ((<usize>r) << 2)) * listBytes
    const last = kept + listBytes - 8
    let bound = load<u32>(last, 4)
    // Elements come in no order: without a bound each of the first is inserted, and such branches dominate the cost.
    if (blocks >= MIN_BLOCKS) bound = min<u32>(bound, boundFor(matrix, blocks, fanOut))
    let i: u32 = 0
    for (; leaderCount - i >= COLUMNS; i += COLUMNS) {
      const at = matrix + ((<usize>i) << 2)
      const low = i32x4.min_u(
        i32x4.min_u(v128.load(at), v128.load(at, 16)),
        i32x4.min_u(v128.load(at, 32), v128.load(at, 48)),
      )
      const bounds = i32x4.splat(bound)
      if (v128.all_true<i32>(v128.gt<u32>(low, bounds))) continue
      for (let mask = maskUpTo(at, bounds); mask !== 0; mask &= mask - 1) {
        const place = (<usize>ctz<u32>(mask)) << 2
        const word = load<u32>(at + place)
        if (word <= bound) keep(kept, last, word, load<u32>(leaders + ((<usize>i) << 2) + place))
      }
    }
    for (; i < leaderCount; i++) {
      const place = (<usize>i) << 2
      const word = load<u32>(matrix + place)
      if (word <= bound) keep(kept, last, word, load<u32>(leaders + place))
    }
    matrix += (<usize>leaderCount) << 2
  }
}

export function probeFinish(best: usize, count: u32, fanOut: u32, nearest: usize): void {
  for (let r: u32 = 0; r < count; r++) {
    const first = load<u32>(best)
    // No probed cell has a leader only when leaders coincide with their coarse leader. Any leader is right then.
    const spare = first === NONE ? 0 : first
    for (let i: u32 = 0; i < fanOut; i++) {
      const leader = load<u32>(best)
      store<u32>(nearest, leader === NONE ? spare : leader)
      best += 8
      nearest += 4
    }
  }
}
