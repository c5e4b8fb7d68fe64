// Prunes each reservoir in place (step 4). Afterwards its words and items are the kept candidates, nearest first, ties
// by lower index, and items are plain indexes.
import { gatherL2F32 } from '../distance/gather'
import { pruneWithNorms } from '../merge/prune'
import { CANDIDATE_MASK, COUNT, HEADER_BYTES } from './pipnn-reservoir'
import { PipnnShard } from './pipnn-shard'

@inline
function sort(entries: usize, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    const entry = load<u64>(entries + ((<usize>i) << 3))
    let at = entries + ((<usize>i) << 3)
    while (at > entries && load<u64>(at - 8) > entry) {
      store<u64>(at, load<u64>(at - 8))
      at -= 8
    }
    store<u64>(at, entry)
  }
}

@inline
function prune<T>(shard: PipnnShard): void {
  const grid = shard.grid
  const norms = shard.norms
  const gridDims = shard.gridDims
  const list = shard.list
  const count = shard.count
  const records = shard.records
  const recordBytes = shard.recordBytes
  const capacity = shard.capacity
  const maxDegree = shard.maxDegree
  const alpha = shard.alpha
  const scratch = shard.scratch
  const rowBytes = <usize>gridDims * sizeof<T>()
  const entries = scratch
  const pointers = scratch + ((<usize>capacity) << 3)
  const distances = pointers + ((<usize>capacity) << 2)
  const kept = distances + ((<usize>capacity) << 2)
  const candidateNorms = kept + ((<usize>capacity) << 2)
  for (let i: u32 = 0; i < count; i++) {
    const member = <usize>load<u32>(list + ((<usize>i) << 2))
    const record = records + member * recordBytes
    const words = record + HEADER_BYTES
    const items = words + ((<usize>capacity) << 2)
    const candidates = load<u32>(record, COUNT)
    if (isFloat<T>()) {
      // The tile's error is relative to the norms, so near pairs far from the centre can lose their order: measure
      // again.
      for (let c: u32 = 0; c < candidates; c++) {
        const candidate = <usize>(load<u32>(items + ((<usize>c) << 2)) & CANDIDATE_MASK)
        store<u32>(pointers + ((<usize>c) << 2), <u32>(grid + candidate * rowBytes))
      }
      gatherL2F32(grid + member * rowBytes, pointers, candidates, gridDims, words)
    }
    for (let c: u32 = 0; c < candidates; c++) {
      const candidate = load<u32>(items + ((<usize>c) << 2)) & CANDIDATE_MASK
      const word = load<u32>(words + ((<usize>c) << 2))
      store<u64>(entries + ((<usize>c) << 3), ((<u64>word) << 32) | candidate)
    }
    sort(entries, candidates)
    for (let c: u32 = 0; c < candidates; c++) {
      const entry = load<u64>(entries + ((<usize>c) << 3))
      store<u32>(pointers + ((<usize>c) << 2), <u32>(grid + <usize>(<u32>entry) * rowBytes))
      store<u32>(distances + ((<usize>c) << 2), <u32>(entry >> 32))
      store<u32>(candidateNorms + ((<usize>c) << 2), load<u32>(norms + ((<usize>(<u32>entry)) << 2)))
    }
    const size = pruneWithNorms<T>(pointers, candidateNorms, distances, candidates, gridDims, maxDegree, alpha, kept)
    for (let c: u32 = 0; c < size; c++) {
      const entry = load<u64>(entries + ((<usize>load<u32>(kept + ((<usize>c) << 2))) << 3))
      store<u32>(words + ((<usize>c) << 2), <u32>(entry >> 32))
      store<u32>(items + ((<usize>c) << 2), <u32>entry)
    }
    store<u32>(record, size, COUNT)
  }
}

export function pipnnPruneI16(shard: PipnnShard): void {
  prune<i16>(shard)
}

export function pipnnPruneF32(shard: PipnnShard): void {
  prune<f32>(shard)
}
