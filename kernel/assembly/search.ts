// Best-first search of an HNSW graph in linear memory: a narrow beam on levels >= 1, a beam of ef at level 0.
// Malkov and Yashunin, arXiv 1603.09320, algorithms 2 and 5. Nothing is allocated; everything is addressed through
// one SearchContext that the caller fills in.
//
// A found node is one u64 key: the distance's ordered bits above, the node times two below; bit 0 is "expanded".
// Comparing keys therefore compares (distance, node), a total order, so results do not depend on visiting order.
//
// Rows of vectors and links lie one behind the other, or (`paged`) in pages that come and go: a table has each page's
// address, 0 for one that is not here, which the host is then asked for. Both give the same answers to the bit.

/** Puts a page (kind 0: vectors, 1: links) into memory and into its table; may take others out. */
@external("env", "loadPage")
declare function loadPage(context: usize, kind: u32, page: u32): void

/** Field order is the byte layout that src/search/search-core.ts writes: u32 words, but for `bias`. */
@unmanaged
class SearchContext {
  count!: u32 // nodes
  dims!: u32
  vectors!: usize // f32 rows, node order
  bias!: f32 // dot only: distance = bias - dot; 1 for cosine, 0 for ip
  links!: usize // rows of u32 count, then node numbers
  linkStride!: usize // bytes
  levelCount!: u32 // levels >= 1
  levels!: usize // LevelTable per level, ascending
  upperStride!: usize // bytes of one links row on levels >= 1
  entry!: u32 // index into the top level's arrays, or the node when there is no upper level
  visited!: usize // u8 tag per node, zero at first
  epoch!: u32 // the tag that means visited; 0 at first, kept by the search
  upperVisited!: usize // u8 tag per index of level 1, zero at first; serves every level >= 1
  upperEpoch!: u32
  upperCount!: u32 // indexes of level 1
  query!: usize // f32 x dims
  beam!: usize // u64 x ef; afterwards the results, ascending: (u32 node, f32 distance) each
  ids!: usize // u32 scratch: the longest links row + 4; on levels >= 1, whose rows are half as long, indexes behind nodes
  distances!: usize // f32 scratch, as long
  rows!: usize // u32 scratch, as long: addresses of the rows named in ids
  computed!: u32 // out: distances computed by the last search
  // Paged only. A page is 2^shift rows; u32 address per page, u8 per page set to 1 at every use.
  vectorPages!: usize
  vectorUsed!: usize
  vectorShift!: u32
  linkPages!: usize
  linkUsed!: usize
  linkShift!: u32
}

@unmanaged
class LevelTable {
  nodes!: usize // u32 per index
  down!: usize // u32 per index: index in the level below, the node itself at level 1
  links!: usize // rows of u32 count, then indexes into this level
}

// Measured on SIFT 100k x 128 and 20k text vectors x 384, M = 16; with its rows in cache a search takes a third of the
// time, so memory is what it waits for.
// Bytes of a row fetched ahead: 512 is 15% slower than 1024 or more at 384 dims, 384 25% slower than 512 at 128 dims.
const TOUCH_BYTES: usize = 1024
// Dims between early-reject checks: 32 is 6% slower at 128 dims; at 384, checking at all is worth 2%.
const CHUNK: u32 = 128
// Beam on levels >= 1. Greedy (1) ends in a wrong cluster now and then: on 40 tight, far clusters, 20k x 32, it finds
// 97% of the vectors, a beam of 2 99.3%, of 4 99.8%, of 8 all, for 77 distances in all instead of 30.
const UPPER_EF: u32 = 8
// Beam slots from which one bulk copy beats shifting in pairs: 12% at ef 4096.
const BULK_SHIFT: u32 = 128

// NaN (from overflow) counts as the largest distance; f32 order becomes u32 order.
@inline
function orderedBits(distance: f32): u32 {
  const bits = reinterpret<u32>(select<f32>(distance, <f32>Infinity, distance == distance))
  return bits ^ ((<u32>(<i32>bits >> 31)) | 0x80000000)
}

@inline
function fromOrderedBits(ordered: u32): f32 {
  return reinterpret<f32>(ordered ^ (((ordered >> 31) - 1) | 0x80000000))
}

@inline
function keyOf(distance: f32, node: u32): u64 {
  return ((<u64>orderedBits(distance)) << 32) | ((<u64>node) << 1)
}

@inline
function sumLanes(a: v128): f32 {
  return (f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 2)) + (f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 3))
}

@inline
function step(l2: bool, accumulator: v128, q: v128, row: usize): v128 {
  if (l2) {
    const d = v128.sub<f32>(q, v128.load(row))
    return v128.add<f32>(accumulator, v128.mul<f32>(d, d))
  }
  return v128.add<f32>(accumulator, v128.mul<f32>(q, v128.load(row)))
}

@inline
function scalarTail(l2: bool, sum: f32, query: usize, row: usize, from: u32, dims: u32): f32 {
  for (let i = from; i < dims; i++) {
    const q = load<f32>(query + (<usize>i << 2))
    const x = load<f32>(row + (<usize>i << 2))
    if (l2) sum += (q - x) * (q - x)
    else sum += q * x
  }
  return sum
}

/**
 * Distances of four rows at once, sharing the query's loads. Once all four partial sums of l2 are beyond `worst` the rest is
 * left out: sums only grow, so the rows are rejected all the same. A row's sum does not depend on its place.
 */
@inline
function four(l2: bool, query: usize, r0: usize, r1: usize, r2: usize, r3: usize, dims: u32, bias: f32, out: usize, worst: f32): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0)
  const aligned = dims & ~3
  let i: u32 = 0
  while (i < aligned) {
    const stop = l2 ? min(i + CHUNK, aligned) : aligned
    for (; i < stop; i += 4) {
      const o = <usize>i << 2
      const q = v128.load(query + o)
      a0 = step(l2, a0, q, r0 + o)
      a1 = step(l2, a1, q, r1 + o)
      a2 = step(l2, a2, q, r2 + o)
      a3 = step(l2, a3, q, r3 + o)
    }
    if (l2 && i < aligned) {
      if (sumLanes(a0) > worst && sumLanes(a1) > worst && sumLanes(a2) > worst && sumLanes(a3) > worst) break
    }
  }
  let s0 = sumLanes(a0), s1 = sumLanes(a1), s2 = sumLanes(a2), s3 = sumLanes(a3)
  if (i >= aligned && aligned < dims) {
    s0 = scalarTail(l2, s0, query, r0, aligned, dims)
    s1 = scalarTail(l2, s1, query, r1, aligned, dims)
    s2 = scalarTail(l2, s2, query, r2, aligned, dims)
    s3 = scalarTail(l2, s3, query, r3, aligned, dims)
  }
  store<f32>(out, l2 ? s0 : bias - s0)
  store<f32>(out, l2 ? s1 : bias - s1, 4)
  store<f32>(out, l2 ? s2 : bias - s2, 8)
  store<f32>(out, l2 ? s3 : bias - s3, 12)
}

/**
 * Has the pages of all `count` rows named in `c.ids` here at the same time. Loading one may take out another of them; all
 * that are here are marked as used before the next is loaded, so with room for twice as many the second round ends it.
 */
function gatherPages(c: SearchContext, count: u32): void {
  const ids = c.ids
  const pages = c.vectorPages
  const used = c.vectorUsed
  const shift = c.vectorShift
  for (;;) {
    let missing: u32 = 0
    for (let i: u32 = 0; i < count; i++) {
      const page = load<u32>(ids + (<usize>i << 2)) >> shift
      if (load<u32>(pages + (<usize>page << 2)) == 0) missing++
      else store<u8>(used + page, 1)
    }
    if (missing == 0) return
    for (let i: u32 = 0; i < count; i++) {
      const page = load<u32>(ids + (<usize>i << 2)) >> shift
      if (load<u32>(pages + (<usize>page << 2)) == 0) loadPage(changetype<usize>(c), 0, page)
    }
  }
}

/**
 * The addresses of the rows named in `c.ids`, into `c.rows`, padded to a multiple of 4; and one load per cache line of them,
 * before the first is computed: their misses overlap. WebAssembly has no prefetch, so the loads need a sink: the
 * distances are scratch that is written over. Makes searches 1.3x as fast on SIFT 100k.
 */
@inline
function fetch(paged: bool, c: SearchContext, count: u32, stride: usize): void {
  const ids = c.ids
  const rows = c.rows
  const vectors = c.vectors
  const pages = c.vectorPages
  const shift = c.vectorShift
  const mask = (<u32>1 << shift) - 1
  const bytes = min(stride, TOUCH_BYTES)
  if (paged) gatherPages(c, count)
  let sink = i32x4.splat(0)
  let row: usize = 0
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (<usize>i << 2))
    if (paged) row = <usize>load<u32>(pages + (<usize>(id >> shift) << 2)) + <usize>(id & mask) * stride
    else row = vectors + <usize>id * stride
    store<u32>(rows + (<usize>i << 2), <u32>row)
    for (let o: usize = 0; o < bytes; o += 64) sink = v128.or(sink, v128.load32_zero(row + o))
  }
  v128.store(c.distances, sink)
  v128.store(rows + (<usize>count << 2), i32x4.splat(<i32>row))
}

/** Distances from the query to `count` rows named in `c.ids`, into `c.distances`. */
@inline
function distancesTo(l2: bool, paged: bool, c: SearchContext, count: u32, worst: f32): void {
  const rows = c.rows
  const out = c.distances
  const query = c.query
  const dims = c.dims
  const bias = c.bias
  const stride = <usize>dims << 2
  fetch(paged, c, count, stride)
  for (let i: u32 = 0; i < count; i += 4) {
    const at = rows + (<usize>i << 2)
    four(
      l2, query, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12),
      dims, bias, out + (<usize>i << 2), worst,
    )
  }
  c.computed += count
}

/** How many of the beam's `size` keys are below `key`. */
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

/** The address of a node's links at level 0. */
@inline
function linksOf(paged: bool, c: SearchContext, node: u32): usize {
  const stride = <usize>c.linkStride
  if (!paged) return c.links + <usize>node * stride
  const shift = c.linkShift
  const page = node >> shift
  const entry = c.linkPages + (<usize>page << 2)
  if (load<u32>(entry) == 0) loadPage(changetype<usize>(c), 1, page)
  store<u8>(c.linkUsed + page, 1)
  return <usize>load<u32>(entry) + <usize>(node & ((<u32>1 << shift) - 1)) * stride
}

/**
 * The beam is one ascending array, not two heaps: what falls off its end would never have been expanded, so it bounds
 * the candidates too. At level 0 rows name nodes; on levels >= 1 (`upper`) they name indexes into `nodes`, and the keys
 * hold indexes.
 */
@inline
function beamSearch(
  l2: bool, paged: bool, upper: bool, c: SearchContext, links: usize, nodes: usize, visited: usize, epoch: u32,
  entry: u32, ef: u32,
): u32 {
  const beam = c.beam
  const ids = c.ids
  const distances = c.distances
  // Rows of levels >= 1 are half as long: the indexes find place behind the nodes and their padding.
  const indexes = upper ? ids + c.upperStride + 8 : ids
  store<u32>(ids, upper ? load<u32>(nodes + (<usize>entry << 2)) : entry)
  distancesTo(l2, paged, c, 1, <f32>Infinity)
  store<u64>(beam, keyOf(load<f32>(distances), entry))
  store<u8>(visited + entry, epoch)
  let size: u32 = 1
  let next: u32 = 0
  let worst: u64 = ef == 1 ? load<u64>(beam) : u64.MAX_VALUE
  while (next < size) {
    const slot = beam + (<usize>next << 3)
    const key = load<u64>(slot)
    if (key & 1) {
      next++
      continue
    }
    store<u64>(slot, key | 1)
    next++
    const at = (<u32>key) >> 1
    const row = upper ? links + <usize>at * c.upperStride : linksOf(paged, c, at)
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
    distancesTo(l2, paged, c, fresh, fromOrderedBits(<u32>(worst >> 32)))
    for (let i: u32 = 0; i < fresh; i++) {
      const found = keyOf(load<f32>(distances + (<usize>i << 2)), load<u32>(indexes + (<usize>i << 2)))
      if (found >= worst) continue
      const place = placeFor(beam, size, found)
      // When full, the last slot falls off the end.
      if (size < ef) size++
      shiftUp(beam, place, size - 1)
      store<u64>(beam + (<usize>place << 3), found)
      if (place < next) next = place
      if (size == ef) worst = load<u64>(beam + (<usize>(ef - 1) << 3)) & ~1
    }
  }
  return size
}

/** From the entry point down to level 1: the level-0 node to begin at. */
@inline
function descend(l2: bool, paged: bool, c: SearchContext): u32 {
  let at = c.entry
  for (let level = c.levelCount; level > 0; level--) {
    const table = changetype<LevelTable>(c.levels + <usize>(level - 1) * offsetof<LevelTable>())
    const epoch = nextUpperEpoch(c)
    beamSearch(l2, paged, true, c, table.links, table.nodes, c.upperVisited, epoch, at, UPPER_EF)
    at = (<u32>load<u64>(c.beam)) >> 1
    at = load<u32>(table.down + (<usize>at << 2))
  }
  return at
}

/** A fresh tag for "visited"; the tags are cleared once in 255 searches. */
@inline
function nextEpoch(c: SearchContext): void {
  let epoch = c.epoch + 1
  if (epoch > 255) {
    memory.fill(c.visited, 0, c.count)
    epoch = 1
  }
  c.epoch = epoch
}

/** As nextEpoch, for one level >= 1; each is a part of the one below, so level 1's tags have room for all. */
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

@inline
function search(l2: bool, paged: bool, c: SearchContext, k: u32, ef: u32): u32 {
  c.computed = 0
  const entry = descend(l2, paged, c)
  nextEpoch(c)
  const size = beamSearch(l2, paged, false, c, 0, 0, c.visited, c.epoch, entry, ef)
  const found = min(k, size)
  for (let i: u32 = 0; i < found; i++) {
    const slot = c.beam + (<usize>i << 3)
    const key = load<u64>(slot)
    store<u32>(slot, (<u32>key) >> 1)
    store<f32>(slot, fromOrderedBits(<u32>(key >> 32)), 4)
  }
  return found
}

/** Squared l2. The nearest min(k, reached) stand in the beam afterwards, ascending; returns how many. 1 <= k <= ef. */
export function searchL2(context: usize, k: u32, ef: u32): u32 {
  return search(true, false, changetype<SearchContext>(context), k, ef)
}

/** As searchL2, with bias - dot as the distance. */
export function searchDot(context: usize, k: u32, ef: u32): u32 {
  return search(false, false, changetype<SearchContext>(context), k, ef)
}

/** As searchL2, of rows in pages. The host throws when a page cannot be had; the next search is not affected. */
export function searchPagedL2(context: usize, k: u32, ef: u32): u32 {
  return search(true, true, changetype<SearchContext>(context), k, ef)
}

/** As searchDot, of rows in pages. */
export function searchPagedDot(context: usize, k: u32, ef: u32): u32 {
  return search(false, true, changetype<SearchContext>(context), k, ef)
}

/** Distances from the query to the `count` nodes in the context's `ids`, into its `distances`; at most a links row of them. */
export function searchScan(context: usize, count: u32, l2: bool, paged: bool): void {
  const c = changetype<SearchContext>(context)
  if (l2) {
    if (paged) distancesTo(true, true, c, count, <f32>Infinity)
    else distancesTo(true, false, c, count, <f32>Infinity)
  } else {
    if (paged) distancesTo(false, true, c, count, <f32>Infinity)
    else distancesTo(false, false, c, count, <f32>Infinity)
  }
}

@inline
function one(l2: bool, query: usize, row: usize, dims: u32): f32 {
  let a = f32x4.splat(0)
  const aligned = dims & ~3
  for (let i: u32 = 0; i < aligned; i += 4) a = step(l2, a, v128.load(query + (<usize>i << 2)), row + (<usize>i << 2))
  return scalarTail(l2, sumLanes(a), query, row, aligned, dims)
}

/** The distance that searchL2 gives this row, to the bit, so that a search outside this memory agrees with it. */
export function searchDistanceL2(query: usize, row: usize, dims: u32): f32 {
  return one(true, query, row, dims)
}

/** The distance that searchDot gives this row, to the bit. */
export function searchDistanceDot(query: usize, row: usize, dims: u32, bias: f32): f32 {
  return bias - one(false, query, row, dims)
}
