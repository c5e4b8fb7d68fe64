// Best-first search of an HNSW graph in linear memory: a narrow beam on levels >= 1, a beam of ef at level 0.
// Malkov and Yashunin, arXiv 1603.09320, algorithms 2 and 5. Nothing is allocated; everything is addressed through
// one SearchContext that the caller fills in. The walk uses the rows of `walked`, vectors or quantized vectors; the
// best of what it finds are then scored again on the vectors.
//
// A found node is one u64 key: the distance's ordered bits above, the node times two below; bit 0 means "expanded".
// Comparing keys compares (distance, node), a total order, so results do not depend on the order of visits.
import { binaryRows, pqRows, prepareBinary, preparePq, prepareSq8, sq8Rows } from './search-codes'
import {
  BINARY, F16_DOT, F16_L2, F32_DOT, F32_L2, LevelTable, PQ, RowTable, SearchContext, SQ8,
} from './search-context'
import { farDistances, farEqual } from './far-rows'
import { fromOrderedBits, orderedBits } from './ordered-bits'
import { f16DotRows, f16L2Rows, f32DotRows, f32L2Rows } from './search-f32'
import { fetchRows, isPresent, rowOf } from './search-rows'

// Measured on SIFT 100k x 128 and 20k text vectors x 384, M = 16. With its rows in cache a search takes a third of the
// time: it mostly waits for memory.
// Beam on levels >= 1. A greedy walk (1) sometimes ends in a wrong cluster: on 40 tight clusters far apart, 20k x 32,
// it finds 97% of the vectors, a beam of 2 99.3%, of 4 99.8%, of 8 all, for 77 distances in total instead of 30.
const UPPER_EF: u32 = 8
// Above this many beam slots one bulk copy beats shifting in pairs: by 12% at ef 4096.
const BULK_SHIFT: u32 = 128

@inline
function keyOf(distance: f32, node: u32): u64 {
  return ((<u64>orderedBits(distance)) << 32) | ((<u64>node) << 1)
}

/** Distances from the query to `count` rows in `c.ids`, into `c.distances`. Beyond `worst` any larger value will do. */
@inline
function distancesTo(c: SearchContext, table: RowTable, count: u32, worst: f32): void {
  if (table.far) farDistances(changetype<usize>(c), table.kind, count, worst)
  else nearDistances(c, table, count, worst)
  c.computed += count
}

@inline
function nearDistances(c: SearchContext, table: RowTable, count: u32, worst: f32): void {
  fetchRows(c, table, count)
  const encoding = table.encoding
  if (encoding == F32_L2) f32L2Rows(c, count, worst)
  else if (encoding == F32_DOT) f32DotRows(c, count)
  else if (encoding == SQ8) sq8Rows(c, count)
  else if (encoding == PQ) pqRows(c, count)
  else if (encoding == BINARY) binaryRows(c, count)
  else if (encoding == F16_L2) f16L2Rows(c, count, worst)
  else f16DotRows(c, count)
}

function prepareQuery(c: SearchContext): void {
  const encoding = changetype<RowTable>(c.walked).encoding
  if (encoding == SQ8) prepareSq8(c)
  else if (encoding == PQ) preparePq(c)
  else if (encoding == BINARY) prepareBinary(c)
}

/** The number of the beam's `size` keys below `key`. */
@inline
function placeFor(beam: usize, size: u32, key: u64): u32 {
  let low: u32 = 0
  let length = size
  while (length > 0) {
    const half = length >> 1
    const below = load<u64>(beam + (<usize>(low + half) << 3)) < key
    low = below ? low + half + 1 : low
    length = below ? length - half - 1 : half
  }
  return low
}

/** Moves the slots from..to-1 up by one. */
@inline
function shiftUp(beam: usize, from: u32, to: u32): void {
  if (to - from > BULK_SHIFT) {
    memory.copy(beam + (<usize>from << 3) + 8, beam + (<usize>from << 3), <usize>(to - from) << 3)
    return
  }
  let at = to
  while (at >= from + 2) {
    at -= 2
    const slot = beam + (<usize>at << 3)
    v128.store(slot, v128.load(slot), 8)
  }
  if (at > from) store<u64>(beam + (<usize>from << 3), load<u64>(beam + (<usize>from << 3)), 8)
}

/**
 * The beam is one ascending array, not two heaps: keys that fall off its end would never be expanded, so it bounds the
 * candidates too. Copies of the node that is expanded go to a beam of their own, and are expanded when nothing else is
 * left: a mass of copies nearer than what is searched for would fill the beam otherwise. At level 0 rows hold nodes. On
 * levels >= 1 (`upper`) rows and keys hold indexes into `nodes`. Always inlined, so the parameters cost nothing.
 */
@inline
function beamSearch(
  upper: bool, c: SearchContext, links: usize, nodes: usize, visited: usize, epoch: u32, entry: u32, ef: u32,
): u32 {
  const walked = changetype<RowTable>(c.walked)
  const level0 = changetype<RowTable>(c.links)
  const beam = c.beam
  const ids = c.ids
  const distances = c.distances
  const copies = beam + (<usize>ef << 3)
  // Rows of levels >= 1 are half as long, so the indexes fit behind the nodes and their padding.
  const indexes = upper ? ids + c.upperStride + 8 : ids
  store<u32>(ids, upper ? load<u32>(nodes + (<usize>entry << 2)) : entry)
  distancesTo(c, walked, 1, <f32>Infinity)
  store<u64>(beam, keyOf(load<f32>(distances), entry))
  store<u8>(visited + entry, epoch)
  let size: u32 = 1
  let next: u32 = 0
  let worst: u64 = ef == 1 ? load<u64>(beam) : u64.MAX_VALUE
  let copyCount: u32 = 0
  let nextCopy: u32 = 0
  for (;;) {
    let key: u64 = 0
    if (next < size) {
      const slot = beam + (<usize>next << 3)
      key = load<u64>(slot)
      next++
      if (key & 1) continue
      store<u64>(slot, key | 1)
    } else if (nextCopy < copyCount) {
      const slot = copies + (<usize>nextCopy << 3)
      key = load<u64>(slot)
      if (key >= worst) break
      nextCopy++
      if (key & 1) continue
      store<u64>(slot, key | 1)
    } else break
    const at = (<u32>key) >> 1
    const row = upper ? links + <usize>at * c.upperStride : rowOf(c, level0, at)
    const count = load<u32>(row)
    let fresh: u32 = 0
    for (let i: u32 = 0; i < count; i++) {
      const index = load<u32>(row + (<usize>i << 2), 4)
      const tag = load<u8>(visited + index)
      store<u8>(visited + index, epoch)
      store<u32>(indexes + (<usize>fresh << 2), index)
      if (upper) store<u32>(ids + (<usize>fresh << 2), load<u32>(nodes + (<usize>index << 2)))
      fresh += u32(tag != epoch)
    }
    if (fresh == 0) continue
    distancesTo(c, walked, fresh, fromOrderedBits(<u32>(worst >> 32)))
    for (let i: u32 = 0; i < fresh; i++) {
      const found = keyOf(load<f32>(distances + (<usize>i << 2)), load<u32>(indexes + (<usize>i << 2)))
      if (found >= worst) continue
      // Only the bits of the node differ.
      if ((found ^ key) <= <u64>u32.MAX_VALUE) {
        if (isCopy(c, nodeAt(upper, nodes, at), nodeAt(upper, nodes, (<u32>found) >> 1))) {
          const place = offerCopy(copies, copyCount, ef, found)
          if (place < ef && copyCount < ef) copyCount++
          nextCopy = min(nextCopy, place)
          continue
        }
      }
      const place = placeFor(beam, size, found)
      // When full, the last slot falls off the end.
      if (size < ef) size++
      shiftUp(beam, place, size - 1)
      store<u64>(beam + (<usize>place << 3), found)
      if (place < next) next = place
      if (size == ef) worst = load<u64>(beam + (<usize>(ef - 1) << 3)) & ~1
    }
  }
  c.copies = copyCount
  return size
}

@inline
function nodeAt(upper: bool, nodes: usize, index: u32): u32 {
  return upper ? load<u32>(nodes + (<usize>index << 2)) : index
}

function rowsEqual(c: SearchContext, table: RowTable, a: u32, b: u32): bool {
  if (table.far) return farEqual(changetype<usize>(c), table.kind, a, b) != 0
  let rowA = rowOf(c, table, a)
  let rowB = rowOf(c, table, b)
  // Loading the page of one row may have dropped that of the other.
  while (!isPresent(table, a)) {
    rowA = rowOf(c, table, a)
    rowB = rowOf(c, table, b)
  }
  return memory.compare(rowA, rowB, table.stride) == 0
}

/** Whether two nodes have the same vector, bit by bit. Called for nodes at the same distance from the query. */
function isCopy(c: SearchContext, a: u32, b: u32): bool {
  if (c.walked != c.exact && !rowsEqual(c, changetype<RowTable>(c.walked), a, b)) return false
  return rowsEqual(c, changetype<RowTable>(c.exact), a, b)
}

/** Puts a copy into the beam of copies, which has no place when it returns `ef`. */
function offerCopy(copies: usize, size: u32, ef: u32, found: u64): u32 {
  const place = placeFor(copies, size, found)
  if (place == ef) return ef
  shiftUp(copies, place, size < ef ? size : ef - 1)
  store<u64>(copies + (<usize>place << 3), found)
  return place
}

/** Puts the copies that the walk kept beside the beam into it. Returns the size of the beam. */
function takeCopies(c: SearchContext, size: u32, ef: u32): u32 {
  const beam = c.beam
  const copies = beam + (<usize>ef << 3)
  for (let i: u32 = 0; i < c.copies; i++) {
    const found = load<u64>(copies + (<usize>i << 3))
    const place = placeFor(beam, size, found)
    if (place == ef) continue
    if (size < ef) size++
    shiftUp(beam, place, size - 1)
    store<u64>(beam + (<usize>place << 3), found)
  }
  return size
}

/** From the entry point down to level 1: the level-0 node to begin at. */
@inline
function descend(c: SearchContext): u32 {
  let at = c.entry
  for (let level = c.levelCount; level > 0; level--) {
    const table = changetype<LevelTable>(c.levels + <usize>(level - 1) * offsetof<LevelTable>())
    const epoch = nextUpperEpoch(c)
    beamSearch(true, c, table.links, table.nodes, c.upperVisited, epoch, at, UPPER_EF)
    at = (<u32>load<u64>(c.beam)) >> 1
    at = load<u32>(table.down + (<usize>at << 2))
  }
  return at
}

/** A fresh tag for "visited". All tags are cleared once in 255 searches. */
@inline
function nextEpoch(c: SearchContext): void {
  let epoch = c.epoch + 1
  if (epoch > 255) {
    memory.fill(c.visited, 0, c.count)
    epoch = 1
  }
  c.epoch = epoch
}

/** As nextEpoch, for one level >= 1. Each level is a part of the level below, so the tags of level 1 serve all. */
@inline
function nextUpperEpoch(c: SearchContext): u32 {
  let epoch = c.upperEpoch + 1
  if (epoch > 255) {
    memory.fill(c.upperVisited, 0, c.upperCount)
    epoch = 1
  }
  c.upperEpoch = epoch
  return epoch
}

/** Replaces the distances of the first `count` of the beam by those of their vectors, and sorts them again. */
function rescore(c: SearchContext, count: u32): void {
  const beam = c.beam
  // The scratch has room for one row of links at a time.
  const most = (changetype<RowTable>(c.links).stride >> 2) - 1
  for (let first: u32 = 0; first < count; first += most) {
    const some = min(most, count - first)
    for (let i: u32 = 0; i < some; i++) {
      store<u32>(c.ids + (<usize>i << 2), (<u32>load<u64>(beam + (<usize>(first + i) << 3))) >> 1)
    }
    distancesTo(c, changetype<RowTable>(c.exact), some, <f32>Infinity)
    for (let i: u32 = 0; i < some; i++) {
      const found = keyOf(load<f32>(c.distances + (<usize>i << 2)), load<u32>(c.ids + (<usize>i << 2)))
      const place = placeFor(beam, first + i, found)
      shiftUp(beam, place, first + i)
      store<u64>(beam + (<usize>place << 3), found)
    }
  }
}

/**
 * With rerank 0, distances and order stay those of the quantized vectors. The host throws when it cannot load a page;
 * the next search is not affected.
 */
export function search(context: usize, k: u32, ef: u32, rerank: u32): u32 {
  const c = changetype<SearchContext>(context)
  c.computed = 0
  prepareQuery(c)
  const entry = descend(c)
  nextEpoch(c)
  let size = beamSearch(false, c, 0, 0, c.visited, c.epoch, entry, ef)
  if (c.copies > 0) size = takeCopies(c, size, ef)
  if (rerank > 0) rescore(c, min(rerank, size))
  const found = min(k, size)
  for (let i: u32 = 0; i < found; i++) {
    const slot = c.beam + (<usize>i << 3)
    const key = load<u64>(slot)
    store<u32>(slot, (<u32>key) >> 1)
    store<f32>(slot, fromOrderedBits(<u32>(key >> 32)), 4)
  }
  return found
}

export function searchScan(context: usize, count: u32): void {
  const c = changetype<SearchContext>(context)
  distancesTo(c, changetype<RowTable>(c.exact), count, <f32>Infinity)
}

/** For a search in another memory: distances to rows of this one, of the query that was prepared there. */
export function searchDistances(context: usize, count: u32, worst: f32): void {
  const c = changetype<SearchContext>(context)
  nearDistances(c, changetype<RowTable>(c.walked), count, worst)
}

/** For a search in another memory: the address of a row, good until the next page is loaded. */
export function searchRow(context: usize, node: u32): usize {
  const c = changetype<SearchContext>(context)
  return rowOf(c, changetype<RowTable>(c.walked), node)
}
