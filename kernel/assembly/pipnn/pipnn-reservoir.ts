// HashPrune reservoirs, step 3 (arXiv 2602.21247). One record per member:
//
//     | sketch 12 x i32 | near: count | worst | worst slot | radius | words, capacity x u32 | items, capacity x u32 |
//       0                 48            52      56           60       64
//     | far: words, farCapacity x u32 | items, farCapacity x u32 |
//
// The sketch is the member's projections on 12 random directions, as i32 that order as the projections do. A
// candidate's key has a bit for each direction in which its projection is not less than the member's: this makes 4096
// cones, and a reservoir keeps only the nearest candidate of each. `worst` is the largest word of a full reservoir, and
// above all words until the reservoir is full: most offers end at the comparison with it. An item is key << 20 |
// candidate.
//
// The far reservoir holds candidates from outside a member's surroundings (pipnn-far.ts): where the near ones leave a
// row half empty, as in a tight cluster, they are the ways out of it and into it.
import { dotF32, fourDotI16 } from '../distance/pair'
import { mixed } from './pipnn-mixed'
import { PipnnShard } from './pipnn-shard'

/** Where the near reservoir begins, and what a reservoir begins with. */
export const NEAR: usize = 48
const WORST: usize = 4
const WORST_SLOT: usize = 8
export const HEAD_BYTES: usize = 16
/** An empty slot of the far reservoir. */
export const NONE: u32 = 0xffffffff
const RADIUS: usize = 60
/** In squared distance. */
const FAR_FACTOR: f32 = 4
export const CANDIDATE_BITS: i32 = 20
export const CANDIDATE_MASK: u32 = (1 << 20) - 1

/** Where the far reservoir begins. */
@inline
export function farOffset(capacity: u32): usize {
  return NEAR + HEAD_BYTES + ((<usize>capacity) << 3)
}

@inline
function clear(record: usize, capacity: u32, farCapacity: u32): void {
  clearHead(record + NEAR)
  memory.fill(record + farOffset(capacity), 0xff, (<usize>farCapacity) << 3)
  store<u32>(record, u32.MAX_VALUE, RADIUS)
}

@inline
function clearHead(head: usize): void {
  store<u32>(head, 0)
  store<u32>(head, u32.MAX_VALUE, WORST)
  store<u32>(head, 0, WORST_SLOT)
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
    clear(record, shard.capacity, shard.farCapacity)
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
    clear(record, shard.capacity, shard.farCapacity)
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

@inline
function equalSlots(at: usize, wanted: v128, shift: i32): v128 {
  return v128.eq<i32>(v128.shr<u32>(v128.load(at), shift), wanted)
}

/**
 * The first of `count` slots at `at` that holds `value`, else count. Sixteen slots for each branch, which cannot be
 * predicted; what lies behind a list is read and not used.
 */
@inline
function slotOf(at: usize, count: u32, value: u32, shift: i32): u32 {
  const wanted = i32x4.splat(value)
  for (let slot: u32 = 0; slot < count; slot += 16) {
    const low = i16x8.narrow_i32x4_s(equalSlots(at, wanted, shift), equalSlots(at + 16, wanted, shift))
    const high = i16x8.narrow_i32x4_s(equalSlots(at + 32, wanted, shift), equalSlots(at + 48, wanted, shift))
    const mask = i8x16.bitmask(i8x16.narrow_i16x8_s(low, high))
    if (mask !== 0) return min<u32>(slot + <u32>ctz<i32>(mask), count)
    at += 64
  }
  return count
}

@inline
function findWorst(head: usize, capacity: u32): void {
  const words = head + HEAD_BYTES
  let high = v128.load(words)
  for (let slot: u32 = 4; slot < capacity; slot += 4) {
    high = i32x4.max_u(high, v128.load(words + ((<usize>slot) << 2)))
  }
  high = i32x4.max_u(high, v128.shuffle<i32>(high, high, 2, 3, 0, 1))
  high = i32x4.max_u(high, v128.shuffle<i32>(high, high, 1, 0, 3, 2))
  const worst = <u32>i32x4.extract_lane(high, 0)
  store<u32>(head, worst, WORST)
  store<u32>(head, slotOf(words, capacity, worst, 0), WORST_SLOT)
}

@inline
function put(words: usize, capacity: u32, slot: u32, word: u32, item: u32): void {
  const at = words + ((<usize>slot) << 2)
  store<u32>(at, word)
  store<u32>(at + ((<usize>capacity) << 2), item)
}

/** Offers a candidate to a reservoir. capacity is a multiple of 4. */
@inline
function offerTo(head: usize, capacity: u32, key: u32, candidate: u32, word: u32): void {
  const item = (key << CANDIDATE_BITS) | candidate
  const count = load<u32>(head)
  const words = head + HEAD_BYTES
  let slot = slotOf(words + ((<usize>capacity) << 2), count, key, CANDIDATE_BITS)
  if (slot < count) {
    if (word >= load<u32>(words + ((<usize>slot) << 2))) return
  } else if (count < capacity) {
    store<u32>(head, count + 1)
  } else {
    slot = load<u32>(head, WORST_SLOT)
  }
  put(words, capacity, slot, word, item)
  if (load<u32>(head) < capacity) return
  // The worst changes only when its own slot was overwritten, or when the reservoir has just become full.
  if (slot === load<u32>(head, WORST_SLOT) || count < capacity) findWorst(head, capacity)
}

/** Offers a candidate at distance `word` to the near reservoir of `member`. */
export function offer(records: usize, recordBytes: u32, capacity: u32, member: u32, candidate: u32, word: u32): void {
  const record = records + <usize>member * recordBytes
  const head = record + NEAR
  if (word >= load<u32>(head, WORST)) return
  offerTo(head, capacity, keyOf(record, records + <usize>candidate * recordBytes), candidate, word)
}

/** A factor of four in squared distance is one scale. */
@inline
function scaleOf(word: u32, isFloat: bool): u32 {
  return isFloat ? word >> 24 : (<u32>(32 - clz<u32>(word))) >> 1
}

/**
 * Offers a far candidate. It has one slot, by its cone and scale; of two with the same slot a hash of the pair decides:
 * members of one cluster then hold far links to many others, not all to the nearest. One that is no farther than
 * FAR_FACTOR times the member's radius is none.
 */
export function offerFar(shard: PipnnShard, isFloat: bool, member: u32, candidate: u32, word: u32): void {
  const recordBytes = shard.recordBytes
  const record = shard.records + <usize>member * recordBytes
  if (word <= farLimit(record, isFloat)) return
  const capacity = shard.farCapacity
  const cone = keyOf(record, shard.records + <usize>candidate * recordBytes)
  const slot = mixed(cone ^ (scaleOf(word, isFloat) << 12)) & (capacity - 1)
  const at = record + farOffset(shard.capacity) + ((<usize>slot) << 2)
  const items = at + ((<usize>capacity) << 2)
  const held = load<u32>(items)
  if (held !== NONE && pairHash(member, held) <= pairHash(member, candidate)) return
  store<u32>(at, word)
  store<u32>(items, candidate)
}

@inline
function pairHash(member: u32, candidate: u32): u32 {
  return mixed(member * 0x9e3779b1 + candidate)
}

/** What is farther is far: FAR_FACTOR times the radius, 0 as long as there is none. */
@inline
export function farLimit(record: usize, isFloat: bool): u32 {
  const radius = load<u32>(record, RADIUS)
  if (radius === u32.MAX_VALUE) return 0
  if (isFloat) return reinterpret<u32>(FAR_FACTOR * reinterpret<f32>(radius))
  return radius < <u32>i32.MAX_VALUE >> 2 ? radius << 2 : <u32>i32.MAX_VALUE
}

/** Narrows the radius of a member: the distance word of the nearest that it has met in a leaf. */
@inline
export function narrow(record: usize, word: u32): void {
  store<u32>(record, min<u32>(load<u32>(record, RADIUS), word), RADIUS)
}
