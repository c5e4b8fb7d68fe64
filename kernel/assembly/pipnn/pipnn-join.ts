// Joins the parts of a shard graph: clusters far from each other share no ball, so the steps before do not link them.
import { l2F32, l2I16 } from '../distance/pair'
import { insertLink, PipnnRows } from './pipnn-rows'
import { PipnnShard } from './pipnn-shard'

const NONE: u32 = 0xffffffff

@inline
function rootOf(parents: usize, member: u32): u32 {
  let at = member
  let parent = load<u32>(parents + ((<usize>at) << 2))
  while (parent !== at) {
    const above = load<u32>(parents + ((<usize>parent) << 2))
    store<u32>(parents + ((<usize>at) << 2), above)
    at = above
    parent = load<u32>(parents + ((<usize>at) << 2))
  }
  return at
}

// The lower root stays: a part's root is its lowest member.
@inline
function unite(parents: usize, a: u32, b: u32): void {
  const x = rootOf(parents, a)
  const y = rootOf(parents, b)
  store<u32>(parents + ((<usize>max<u32>(x, y)) << 2), min<u32>(x, y))
}

@inline
function wordBetween<T>(grid: usize, gridDims: u32, a: u32, b: u32): u32 {
  const rowBytes = <usize>gridDims * sizeof<T>()
  const x = grid + <usize>a * rowBytes
  const y = grid + <usize>b * rowBytes
  return isFloat<T>() ? reinterpret<u32>(l2F32(x, y, gridDims)) : <u32>l2I16(x, y, gridDims)
}

/**
 * The member nearest to `from`, inside the part `root` or outside it, with fewer than `degree` links; NONE when there
 * is no such member. Without the limit one member could be nearest to many parts, and only its last link to them would
 * stay.
 */
@inline
function nearestMember<T>(
  shard: PipnnShard, parents: usize, counts: usize, degree: u32, from: u32, root: u32, inside: bool,
): u32 {
  const grid = shard.grid
  const gridDims = shard.gridDims
  const count = shard.count
  let best = NONE
  let bestWord = u32.MAX_VALUE
  for (let member: u32 = 0; member < count; member++) {
    if ((rootOf(parents, member) === root) !== inside) continue
    if (load<u32>(counts + ((<usize>member) << 2)) >= degree) continue
    const word = wordBetween<T>(grid, gridDims, from, member)
    if (best !== NONE && word >= bestWord) continue
    bestWord = word
    best = member
  }
  return best
}

// A full row loses its farthest link.
@inline
function forceLink(rows: PipnnRows, member: u32, neighbour: u32, word: u32): void {
  const at = rows.counts + ((<usize>member) << 2)
  if (load<u32>(at) === rows.degree) store<u32>(at, rows.degree - 1)
  insertLink(rows, member, neighbour, word)
}

@inline
function join<T>(shard: PipnnShard, rows: PipnnRows, parents: usize): u32 {
  const grid = shard.grid
  const gridDims = shard.gridDims
  const count = shard.count
  const degree = rows.degree
  const counts = rows.counts
  const neighbours = rows.neighbours
  for (let member: u32 = 0; member < count; member++) store<u32>(parents + ((<usize>member) << 2), member)
  for (let member: u32 = 0; member < count; member++) {
    const row = neighbours + ((<usize>member * degree) << 2)
    const size = load<u32>(counts + ((<usize>member) << 2))
    for (let n: u32 = 0; n < size; n++) unite(parents, member, load<u32>(row + ((<usize>n) << 2)))
  }
  let joined: u32 = 0
  // The last part has the root 0.
  for (let root: u32 = 1; root < count; root++) {
    // A part may first absorb parts with higher roots. It is done when it belongs to a part with a lower root.
    while (rootOf(parents, root) === root) {
      let outside = nearestMember<T>(shard, parents, counts, degree, root, root, false)
      if (outside === NONE) {
        outside = nearestMember<T>(shard, parents, counts, NONE, root, root, false)
      }
      let inside = nearestMember<T>(shard, parents, counts, degree, outside, root, true)
      if (inside === NONE) {
        inside = nearestMember<T>(shard, parents, counts, NONE, outside, root, true)
      }
      const word = wordBetween<T>(grid, gridDims, inside, outside)
      forceLink(rows, inside, outside, word)
      forceLink(rows, outside, inside, word)
      unite(parents, inside, outside)
      joined++
    }
  }
  return joined
}

export function pipnnJoinI16(shard: PipnnShard, rows: PipnnRows, parents: usize): u32 {
  return join<i16>(shard, rows, parents)
}

export function pipnnJoinF32(shard: PipnnShard, rows: PipnnRows, parents: usize): u32 {
  return join<f32>(shard, rows, parents)
}
