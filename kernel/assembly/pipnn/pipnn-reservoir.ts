// HashPrune reservoirs, step 3 (arXiv 2602.21247). One record per member:
//
//     | sketch 12 x i32 | count | worst | worst slot | - | words, capacity x u32 | items, capacity x u32 |
//       0                 48      52      56         60    64
//
// The sketch is the member's projections on 12 random directions, as i32 that order as the projections do. A
// candidate's key has a bit for each direction in which its projection is not less than the member's: this makes 4096
// cones, and a reservoir keeps only the nearest candidate of each. `worst` is the largest word of a full reservoir, and
// above all words until the reservoir is full: most offers end at the comparison with it. An item is key << 20 |
// candidate.
import { dotF32, fourDotI16 } from '../distance/pair'
import { PipnnShard } from './pipnn-shard'

export const COUNT: usize = 48
export const WORST: usize = 52
export const WORST_SLOT: usize = 56
export const HEADER_BYTES: usize = 64
export const CANDIDATE_BITS: i32 = 20
export const CANDIDATE_MASK: u32 = (1 << 20) - 1

@inline
function clear(record: usize): void {
  store<u32>(record, 0, COUNT)
  store<u32>(record, u32.MAX_VALUE, WORST)
  store<u32>(record, 0, WORST_SLOT)
}

export function pipnnSketchI16(shard: PipnnShard, directions: usize): void {
  const count = shard.count
  const gridDims = shard.gridDims
  const recordBytes = shard.recordBytes
  let row = shard.grid
  let record = shard.records
  const rowBytes = (<usize>gridDims) << 1
  const four = rowBytes << 2
  for (let r: u32 = 0; r < count; r++) {
    for (let group: usize = 0; group < 3; group++) {
      const d = directions + group * four
      const dots = fourDotI16(row, d, d + rowBytes, d + 2 * rowBytes, d + 3 * rowBytes, gridDims)
      v128.store(record + (group << 4), dots)
    }
    clear(record)
    row += rowBytes
    record += recordBytes
  }
}

export function pipnnSketchF32(shard: PipnnShard, directions: usize): void {
  const count = shard.count
  const gridDims = shard.gridDims
  const recordBytes = shard.recordBytes
  let row = shard.grid
  let record = shard.records
  const rowBytes = (<usize>gridDims) << 2
  for (let r: u32 = 0; r < count; r++) {
    for (let d: usize = 0; d < 12; d++) {
      const bits = reinterpret<i32>(dotF32(row, directions + d * rowBytes, gridDims))
      store<i32>(record + (d << 2), bits ^ ((bits >> 31) & 0x7fffffff))
    }
    clear(record)
    row += rowBytes
    record += recordBytes
  }
}

@inline
function keyOf(member: usize, candidate: usize): u32 {
  return (
    i32x4.bitmask(v128.ge<i32>(v128.load(candidate), v128.load(member))) |
    (i32x4.bitmask(v128.ge<i32>(v128.load(candidate, 16), v128.load(member, 16))) << 4) |
    (i32x4.bitmask(v128.ge<i32>(v128.load(candidate, 32), v128.load(member, 32))) << 8)
  )
}

/** The first of `count` slots at `at` that holds `value`, else count. The list has room for a multiple of 4. */
@inline
function slotOf(at: usize, count: u32, value: u32, shift: i32): u32 {
  const wanted = i32x4.splat(value)
  for (let slot: u32 = 0; slot < count; slot += 4) {
    const mask = i32x4.bitmask(v128.eq<i32>(v128.shr<u32>(v128.load(at + ((<usize>slot) << 2)), shift), wanted))
    if (mask !== 0) return min<u32>(slot + <u32>ctz<i32>(mask), count)
  }
  return count
}

@inline
function findWorst(record: usize, capacity: u32): void {
  const words = record + HEADER_BYTES
  let high = v128.load(words)
  for (let slot: u32 = 4; slot < capacity; slot += 4) {
    high = i32x4.max_u(high, v128.load(words + ((<usize>slot) << 2)))
  }
  high = i32x4.max_u(high, v128.shuffle<i32>(high, high, 2, 3, 0, 1))
  high = i32x4.max_u(high, v128.shuffle<i32>(high, high, 1, 0, 3, 2))
  const worst = <u32>i32x4.extract_lane(high, 0)
  store<u32>(record, worst, WORST)
  store<u32>(record, slotOf(words, capacity, worst, 0), WORST_SLOT)
}

@inline
function put(record: usize, capacity: u32, slot: u32, word: u32, item: u32): void {
  const at = record + HEADER_BYTES + ((<usize>slot) << 2)
  store<u32>(at, word)
  store<u32>(at + ((<usize>capacity) << 2), item)
}

/** Offers a candidate at distance `word` to the reservoir of `member`. capacity is a multiple of 4. */
export function offer(records: usize, recordBytes: u32, capacity: u32, member: u32, candidate: u32, word: u32): void {
  const record = records + <usize>member * recordBytes
  if (word >= load<u32>(record, WORST)) return
  const key = keyOf(record, records + <usize>candidate * recordBytes)
  const item = (key << CANDIDATE_BITS) | candidate
  const count = load<u32>(record, COUNT)
  const words = record + HEADER_BYTES
  let slot = slotOf(words + ((<usize>capacity) << 2), count, key, CANDIDATE_BITS)
  if (slot < count) {
    if (word >= load<u32>(words + ((<usize>slot) << 2))) return
  } else if (count < capacity) {
    store<u32>(record, count + 1, COUNT)
  } else {
    slot = load<u32>(record, WORST_SLOT)
  }
  put(record, capacity, slot, word, item)
  if (load<u32>(record, COUNT) < capacity) return
  // The worst changes only when its own slot was overwritten, or when the reservoir has just become full.
  if (slot === load<u32>(record, WORST_SLOT) || count < capacity) findWorst(record, capacity)
}
