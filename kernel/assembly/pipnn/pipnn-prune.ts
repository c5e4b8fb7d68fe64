// Prunes each reservoir in place (step 4). Afterwards its words and items are the kept candidates, nearest first, ties
// by lower index, and items are plain indexes; FAR marks those that only the far reservoir had.
//
// Near candidates are pruned first. Where they leave links free, what they kept is pruned once more with the far
// candidates: rows of spread data are full of near ones, and cost nothing more.
import { gatherL2F32 } from '../distance/gather'
import { pruneWithNorms } from '../merge/prune'
import { CANDIDATE_MASK, HEAD_BYTES, NEAR, NONE, farOffset } from './pipnn-reservoir'
import { PipnnShard } from './pipnn-shard'

/** In an item of a pruned record. */
export const FAR: u32 = 1 << 31

/**
 * A row takes far links that are more than this many times as far, in squared distance, as the middle one of its near
 * links. Rows of spread data have hardly any: on SIFT they would cost 6% of a build and add nothing.
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

/** Drops repeats of a sorted list. Returns how many remain. */
@inline
function distinct(entries: usize, count: u32): u32 {
  let to: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u64>(entries + ((<usize>i) << 3))
    if (to > 0 && load<u64>(entries + ((<usize>(to - 1)) << 3)) === entry) continue
    store<u64>(entries + ((<usize>to) << 3), entry)
    to++
  }
  return to
}

/** Writes `count` candidates to `entries`, as word above candidate. */
@inline
function loadEntries<T>(shard: PipnnShard, member: usize, words: usize, items: usize, count: u32, entries: usize, pointers: usize): void {
  const grid = shard.grid
  const gridDims = shard.gridDims
  const rowBytes = <usize>gridDims * sizeof<T>()
  if (isFloat<T>()) {
    // The tile's error is relative to the norms, so near pairs far from the centre can lose their order: measure
    // again.
    for (let c: u32 = 0; c < count; c++) {
      const candidate = <usize>(load<u32>(items + ((<usize>c) << 2)) & CANDIDATE_MASK)
      store<u32>(pointers + ((<usize>c) << 2), <u32>(grid + candidate * rowBytes))
    }
    gatherL2F32(grid + member * rowBytes, pointers, count, gridDims, words)
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

/** Prunes sorted entries; writes those kept to `out`. Returns how many. */
@inline
function pruneEntries<T>(shard: PipnnShard, entries: usize, count: u32, lists: usize, listBytes: usize, out: usize): u32 {
  const grid = shard.grid
  const norms = shard.norms
  const gridDims = shard.gridDims
  const rowBytes = <usize>gridDims * sizeof<T>()
  const pointers = lists
  const distances = pointers + listBytes
  const kept = distances + listBytes
  const candidateNorms = kept + listBytes
  for (let c: u32 = 0; c < count; c++) {
    const entry = load<u64>(entries + ((<usize>c) << 3))
    store<u32>(pointers + ((<usize>c) << 2), <u32>(grid + <usize>(<u32>entry) * rowBytes))
    store<u32>(distances + ((<usize>c) << 2), <u32>(entry >> 32))
    store<u32>(candidateNorms + ((<usize>c) << 2), load<u32>(norms + ((<usize>(<u32>entry)) << 2)))
  }
  const size = pruneWithNorms<T>(
    pointers, candidateNorms, distances, count, gridDims, shard.maxDegree, shard.alpha, kept,
  )
  for (let c: u32 = 0; c < size; c++) {
    const entry = load<u64>(entries + ((<usize>load<u32>(kept + ((<usize>c) << 2))) << 3))
    store<u64>(out + ((<usize>c) << 3), entry)
  }
  return size
}

/**
 * Prunes `size` near entries and the far candidates of a record, where these are far from all of them. Returns how many
 * are kept.
 */
@inline
function addFar<T>(shard: PipnnShard, member: usize, record: usize, entries: usize, size: u32, lists: usize, listBytes: usize): u32 {
  const capacity = shard.capacity
  const farCapacity = shard.farCapacity
  const words = record + farOffset(capacity)
  const items = words + ((<usize>farCapacity) << 2)
  const middle = size > 0 ? <u32>(load<u64>(entries + ((<usize>(size >> 1)) << 3)) >> 32) : 0
  const far = compactFar(words, items, farCapacity, scaled<T>(middle, ISLAND_FACTOR))
  if (far === 0) return size
  const nearItems = record + NEAR + HEAD_BYTES + ((<usize>capacity) << 2)
  for (let c: u32 = 0; c < size; c++) {
    store<u32>(nearItems + ((<usize>c) << 2), load<u32>(entries + ((<usize>c) << 3)))
  }
  loadEntries<T>(shard, member, words, items, far, entries + ((<usize>size) << 3), lists)
  sort(entries, size + far)
  const kept = pruneEntries<T>(shard, entries, distinct(entries, size + far), lists, listBytes, entries)
  markFar(entries, kept, nearItems, size)
  return kept
}

@inline
function prune<T>(shard: PipnnShard): void {
  const list = shard.list
  const count = shard.count
  const recordBytes = shard.recordBytes
  const capacity = shard.capacity
  const all = <usize>(capacity + shard.farCapacity)
  const entries = shard.scratch
  const lists = entries + (all << 3)
  for (let i: u32 = 0; i < count; i++) {
    const member = <usize>load<u32>(list + ((<usize>i) << 2))
    const record = shard.records + member * recordBytes
    const near = load<u32>(record, NEAR)
    const words = record + NEAR + HEAD_BYTES
    const items = words + ((<usize>capacity) << 2)
    loadEntries<T>(shard, member, words, items, near, entries, lists)
    sort(entries, near)
    let size = pruneEntries<T>(shard, entries, near, lists, all << 2, entries)
    if (size < shard.maxDegree) size = addFar<T>(shard, member, record, entries, size, lists, all << 2)
    for (let c: u32 = 0; c < size; c++) {
      const entry = load<u64>(entries + ((<usize>c) << 3))
      store<u32>(words + ((<usize>c) << 2), <u32>(entry >> 32))
      store<u32>(items + ((<usize>c) << 2), <u32>entry)
    }
    store<u32>(record, size, NEAR)
  }
}

/** Marks the entries whose candidates are not among `items`. */
@inline
function markFar(entries: usize, size: u32, items: usize, nearSize: u32): void {
  for (let c: u32 = 0; c < size; c++) {
    const at = entries + ((<usize>c) << 3)
    const candidate = load<u32>(at)
    let n: u32 = 0
    while (n < nearSize && load<u32>(items + ((<usize>n) << 2)) !== candidate) n++
    if (n === nearSize) store<u32>(at, candidate | FAR)
  }
}

export function pipnnPruneI16(shard: PipnnShard): void {
  prune<i16>(shard)
}

export function pipnnPruneF32(shard: PipnnShard): void {
  prune<f32>(shard)
}
