// Distances as u32 words whose order is that of the distances, so that they can lead a key.

/** NaN (from overflow) counts as the largest distance. */
@inline
export function orderedBits(distance: f32): u32 {
  const bits = reinterpret<u32>(select<f32>(distance, <f32>Infinity, distance == distance))
  return bits ^ ((<u32>(<i32>bits >> 31)) | 0x80000000)
}

@inline
export function fromOrderedBits(ordered: u32): f32 {
  return reinterpret<f32>(ordered ^ (((ordered >> 31) - 1) | 0x80000000))
}
