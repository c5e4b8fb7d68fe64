function insert(indexes: usize, words: usize, found: u32, k: u32, index: u32, word: u32): u32 {
  if (found === k && (k === 0 || word >= load<u32>(words + ((<usize>(k - 1)) << 2)))) return found
  let at = found < k ? found : k - 1
  while (at > 0 && load<u32>(words + ((<usize>(at - 1)) << 2)) > word) {
    store<u32>(words + ((<usize>at) << 2), load<u32>(words + ((<usize>(at - 1)) << 2)))
    store<u32>(indexes + ((<usize>at) << 2), load<u32>(indexes + ((<usize>(at - 1)) << 2)))
    at--
  }
  store<u32>(words + ((<usize>at) << 2), word)
  store<u32>(indexes + ((<usize>at) << 2), index)
  return found < k ? found + 1 : found
}

function nearestWords(row: usize, count: u32, k: u32, outIndex: usize, outWord: usize): u32 {
  let found: u32 = 0
  for (let i: u32 = 0; i < count; i++)
    found = insert(outIndex, outWord, found, k, i, load<u32>(row + ((<usize>i) << 2)))
  return found
}

export function nearestI32(row: usize, count: u32, k: u32, outIndex: usize, outDistance: usize): u32 {
  return nearestWords(row, count, k, outIndex, outDistance)
}

export function nearestF32(row: usize, count: u32, k: u32, outIndex: usize, outDistance: usize): u32 {
  return nearestWords(row, count, k, outIndex, outDistance)
}
