/** Decompresses one block of LZ4. Pure: every length in the block is checked against the bytes there are. */

/**
 * Writes to `into` from `at` on and returns the end. Matches may reach back to the front of `into`, which has the blocks
 * before this one.
 * @throws RangeError when the block is damaged or has more than `into` has room for
 */
export function lz4Block(block: Uint8Array, into: Uint8Array, at: number): number {
  let from = 0
  let to = at
  while (from < block.length) {
    const token = block[from++]
    let literals = token >> 4
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) more = byteAt(block, from++)
    }
    if (literals > block.length - from || literals > into.length - to) throw new RangeError('a block is too long')
    into.set(block.subarray(from, from + literals), to)
    from += literals
    to += literals
    // The last sequence has literals only.
    if (from === block.length) break
    const distance = byteAt(block, from++) | (byteAt(block, from++) << 8)
    let length = (token & 15) + 4
    if (length === 19) {
      for (let more = 255; more === 255; length += more) more = byteAt(block, from++)
    }
    if (distance === 0 || distance > to) throw new RangeError('a match is before its data')
    if (length > into.length - to) throw new RangeError('a block is too long')
    // A match that overlaps itself repeats.
    if (distance >= length) into.copyWithin(to, to - distance, to - distance + length)
    else for (let i = 0; i < length; i++) into[to + i] = into[to + i - distance]
    to += length
  }
  return to
}

function byteAt(block: Uint8Array, at: number): number {
  if (at < block.length) return block[at]
  throw new RangeError('a block ends too early')
}
