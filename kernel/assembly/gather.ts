import { l2F32, l2I16 } from './pair'

export function gatherL2I16(query: usize, rowPtrs: usize, count: u32, codeDims: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<i32>(out + ((<usize>i) << 2), l2I16(query, load<u32>(rowPtrs + ((<usize>i) << 2)), codeDims))
  }
}

export function gatherL2F32(query: usize, rowPtrs: usize, count: u32, codeDims: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<f32>(out + ((<usize>i) << 2), l2F32(query, load<u32>(rowPtrs + ((<usize>i) << 2)), codeDims))
  }
}
