// The rows of the shard graph, step 4: each member's candidates, nearest first. Nothing is pruned here: whoever unites
// the rows of several shards, or takes those of one as they are, prunes once.
//
// Far candidates are added where they are far from all near ones, and take half of a row at most: rows of spread data
// have hardly any.
import { gatherL2F32 } from '../distance/gather'
import { CANDIDATE_MASK, HEAD_BYTES, NEAR, NONE, farOffset } from './pipnn-reservoir'
import { PipnnRows } from './pipnn-rows'
import { PipnnShard } from './pipnn-shard'

/**
 * A row takes far candidates that are more than this many times as far, in squared distance, as the middle one of its
 * near candidates.
 */
const ISLAND_FACTOR: f64 = 8

/** A distance word times a factor, at most the largest distance. */
@inline
function scaled<T>(word: u32, factor: f64): u32 {
  if (isFloat<T>()) return reinterpret<u32>(<f32>(<f64>reinterpret<f32>(word) * factor))
  return <u32>min<f64>(<f64>word * factor, <f64>i32.MAX_VALUE)
}

@inline
function sort(entries: usize, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    const entry = load<u64>(entries + ((<usize>i) << 3))
    let at = entries + ((<usize>i) << 3)
    while (at > entries && load<u64>(at - 8) > entry) {
      store<u64>(at, load<u64>(at - 8))
      at -= 8
    }
    store<u64>(at, entry)
  }
}

/** Writes `count` candidates to `entries`, as word above candidate. */
@inline
function loadEntries<T>(shard: PipnnShard, member: usize, words: usize, items: usize, count: u32, entries: usize): void {
  if (isFloat<T>()) {
    // The tile's error is relative to the norms, so near pairs far from the centre can lose their order: measure
    // again.
    const grid = shard.grid
    const rowBytes = <usize>shard.rowBytes
    const pointers = entries
    for (let c: u32 = 0; c < count; c++) {
      const candidate = <usize>(load<u32>(items + ((<usize>c) << 2)) & CANDIDATE_MASK)
      store<u32>(pointers + ((<usize>c) << 2), <u32>(grid + candidate * rowBytes))
    }
    gatherL2F32(grid + member * rowBytes, pointers, count, shard.gridDims, words)
  }
  for (let c: u32 = 0; c < count; c++) {
    const candidate = load<u32>(items + ((<usize>c) << 2)) & CANDIDATE_MASK
    const word = load<u32>(words + ((<usize>c) << 2))
    store<u64>(entries + ((<usize>c) << 3), ((<u64>word) << 32) | candidate)
  }
}

/** Brings what a far reservoir has beyond `limit` to its front. Returns how many there are. */
@inline
function compactFar(words: usize, items: usize, capacity: u32, limit: u32): u32 {
  let to: u32 = 0
  for (let slot: u32 = 0; slot < capacity; slot++) {
    const item = load<u32>(items + ((<usize>slot) << 2))
    if (item === NONE || load<u32>(words + ((<usize>slot) << 2)) <= limit) continue
    store<u32>(words + ((<usize>to) << 2), load<u32>(words + ((<usize>slot) << 2)))
    store<u32>(items + ((<usize>to) << 2), item)
    to++
  }
  return to
}

/** Puts far candidates among `near` sorted entries, whose last ones make room. Returns how many entries there are. */
@inline
function addFar<T>(shard: PipnnShard, member: usize, record: usize, entries: usize, near: u32, degree: u32): u32 {
  const farCapacity = shard.farCapacity
  const words = record + farOffset(shard.capacity)
  const items = words + ((<usize>farCapacity) << 2)
  const middle = near > 0 ? load<u32>(entries + ((<usize>(near >> 1)) << 3), 4) : 0
  const far = min<u32>(compactFar(words, items, farCapacity, scaled<T>(middle, ISLAND_FACTOR)), degree >> 1)
  const size = min<u32>(near, degree - far)
  if (far === 0) return size
  loadEntries<T>(shard, member, words, items, far, entries + ((<usize>size) << 3))
  sort(entries, size + far)
  return size + far
}

/** Writes the row of a member from sorted entries, without repeats. */
@inline
function writeRow(rows: PipnnRows, member: usize, entries: usize, count: u32): void {
  const row = (member * rows.degree) << 2
  let neighbours = rows.neighbours + row
  let words = rows.words + row
  let last: u64 = u64.MAX_VALUE
  let size: u32 = 0
  for (let c: u32 = 0; c < count; c++) {
    const entry = load<u64>(entries + ((<usize>c) << 3))
    if (entry === last) continue
    last = entry
    store<u32>(neighbours, <u32>entry)
    store<u32>(words, <u32>(entry >> 32))
    neighbours += 4
    words += 4
    size++
  }
  store<u32>(rows.counts + (member << 2), size)
}

@inline
function candidates<T>(shard: PipnnShard, rows: PipnnRows, from: u32, to: u32): void {
  const capacity = shard.capacity
  const entries = shard.scratch
  for (let member = <usize>from; member < <usize>to; member++) {
    const record = shard.records + member * shard.recordBytes
    const near = load<u32>(record, NEAR)
    const words = record + NEAR + HEAD_BYTES
    loadEntries<T>(shard, member, words, words + ((<usize>capacity) << 2), near, entries)
    sort(entries, near)
    writeRow(rows, member, entries, addFar<T>(shard, member, record, entries, near, rows.degree))
  }
}

export function pipnnCandidatesI16(shard: PipnnShard, rows: PipnnRows, from: u32, to: u32): void {
  candidates<i16>(shard, rows, from, to)
}

export function pipnnCandidatesF32(shard: PipnnShard, rows: PipnnRows, from: u32, to: u32): void {
  candidates<f32>(shard, rows, from, to)
}
