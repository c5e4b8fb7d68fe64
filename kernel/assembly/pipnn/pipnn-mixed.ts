/** murmur3's finalizer: every bit of the word moves every bit of the result. */
@inline
export function mixed(state: u32): u32 {
  let word = state
  word = (word ^ (word >> 16)) * 0x85ebca6b
  word = (word ^ (word >> 13)) * 0xc2b2ae35
  return word ^ (word >> 16)
}
