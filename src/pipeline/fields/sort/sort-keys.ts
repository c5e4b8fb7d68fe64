import { compareBytes } from '../../../fields/compare-bytes.js'

/** Bytes of a key that are compared as one number: as many as a float holds exactly. */
const PREFIX_BYTES = 6

/**
 * The order of distinct keys: their numbers, by ascending bytes. Key i is `bytes` from `ends[i]` up to `ends[i + 1]`.
 * Merge sort: it takes 16 bytes a key, and no keys are slow.
 */
export function sortKeys(bytes: Uint8Array, ends: Uint32Array): Uint32Array {
  const count = ends.length - 1
  const shared = sharedBytes(bytes, ends)
  const prefixes = prefixesOf(bytes, ends, shared)
  let order = Uint32Array.from({ length: count }, (_, i) => i)
  let merged = new Uint32Array(count)
  for (let width = 1; width < count; width *= 2) {
    for (let from = 0; from < count; from += 2 * width) {
      const middle = Math.min(from + width, count)
      const to = Math.min(from + 2 * width, count)
      let [left, right] = [from, middle]
      for (let at = from; at < to; at++) {
        const takesLeft = right === to || (left < middle && isLess(order[left], order[right]))
        merged[at] = takesLeft ? order[left++] : order[right++]
      }
    }
    ;[order, merged] = [merged, order]
  }
  return order

  function isLess(a: number, b: number): boolean {
    if (prefixes[a] !== prefixes[b]) return prefixes[a] < prefixes[b]
    return compareBytes(bytes, ends[a] + shared, ends[a + 1], bytes, ends[b] + shared, ends[b + 1]) < 0
  }
}

/** How many bytes all keys begin with: those of addresses and paths are many. */
function sharedBytes(bytes: Uint8Array, ends: Uint32Array): number {
  let shared = ends.length > 1 ? ends[1] : 0
  for (let key = 1; key < ends.length - 1; key++) {
    const most = Math.min(shared, ends[key + 1] - ends[key])
    shared = 0
    while (shared < most && bytes[ends[key] + shared] === bytes[shared]) shared++
  }
  return shared
}

/** The first bytes that differ, as numbers. */
function prefixesOf(bytes: Uint8Array, ends: Uint32Array, shared: number): Float64Array {
  const prefixes = new Float64Array(ends.length - 1)
  for (let key = 0; key < prefixes.length; key++) {
    let prefix = 0
    for (let i = 0, at = ends[key] + shared; i < PREFIX_BYTES; i++, at++) {
      prefix = prefix * 256 + (at < ends[key + 1] ? bytes[at] : 0)
    }
    prefixes[key] = prefix
  }
  return prefixes
}
