// The distinct candidates of a chunk of nodes, in ascending order: one bit per node of the layer, and for each 64 bits
// the number of bits set before them. A node's place among the candidates is then one look-up, and nothing is sorted.
import { candidatesOf } from './merge-rows'

export function mergeMark(starts: usize, places: usize, from: u32, count: u32, limit: u32, bits: usize): u32 {
  let distinct: u32 = 0
  for (let i = from; i < count; i++) {
    if (i > from && distinct + candidatesOf(starts, places, i) > limit) return i
    const end = load<u32>(starts + ((<usize>i) << 2), 4)
    for (let r = load<u32>(starts + ((<usize>i) << 2)); r < end; r++) {
      const place = <usize>load<u32>(places + ((<usize>r) << 2))
      const last = place + ((<usize>load<u32>(place)) << 2)
      for (let at = place; at < last; at += 4) {
        const node = load<u32>(at, 4)
        const word = bits + ((<usize>(node >> 6)) << 3)
        const before = load<u64>(word)
        const bit = <u64>1 << (node & 63)
        distinct += u32((before & bit) === 0)
        store<u64>(word, before | bit)
      }
    }
  }
  return count
}

export function mergeRank(bits: usize, words: u32, ranks: usize, nodes: usize): u32 {
  let rank: u32 = 0
  for (let word: u32 = 0; word < words; word++) {
    store<u32>(ranks + ((<usize>word) << 2), rank)
    for (let left = load<u64>(bits + ((<usize>word) << 3)); left !== 0; left &= left - 1) {
      store<u32>(nodes + ((<usize>rank) << 2), (word << 6) + <u32>ctz<u64>(left))
      rank++
    }
  }
  return rank
}

/** The place of a marked node among all marked nodes. */
@inline
export function placeOf(bits: usize, ranks: usize, node: u32): u32 {
  const word = <usize>(node >> 6)
  const below = (<u64>1 << (node & 63)) - 1
  return load<u32>(ranks + (word << 2)) + <u32>popcnt<u64>(load<u64>(bits + (word << 3)) & below)
}
