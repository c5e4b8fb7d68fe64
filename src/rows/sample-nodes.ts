import { hashOrdinal } from './hash-ordinal.js'

/**
 * `wanted` nodes (all, when there are no more), one from each of equal ranges, at a place its hash says: near nodes are
 * alike, so this is spread over all shards. Ascending. `salt` keeps one draw apart from another.
 */
export function sampleNodes(count: number, wanted: number, seed: number, salt: number): Uint32Array {
  const sampled = Math.min(wanted, count)
  return Uint32Array.from({ length: sampled }, (_, i) => {
    const first = Math.floor((i * count) / sampled)
    const end = Math.floor(((i + 1) * count) / sampled)
    return first + (hashOrdinal(seed, salt, i) % (end - first))
  })
}
