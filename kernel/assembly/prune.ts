import { l2F32, l2I16 } from './pair'

export function pruneI16(
  rowPtrs: usize,
  distances: usize,
  count: u32,
  codeDims: u32,
  maxDegree: u32,
  alpha: f64,
  kept: usize,
): u32 {
  let size: u32 = 0
  for (let c: u32 = 0; c < count && size < maxDegree; c++) {
    const row = load<u32>(rowPtrs + ((<usize>c) << 2))
    const limit = <f64>load<i32>(distances + ((<usize>c) << 2))
    let i: u32 = 0
    while (i < size) {
      const other = load<u32>(rowPtrs + ((<usize>load<u32>(kept + ((<usize>i) << 2))) << 2))
      if (alpha * <f64>l2I16(row, other, codeDims) < limit) break
      i++
    }
    if (i !== size) continue
    store<u32>(kept + ((<usize>size) << 2), c)
    size++
  }
  return size
}

export function pruneF32(
  rowPtrs: usize,
  distances: usize,
  count: u32,
  codeDims: u32,
  maxDegree: u32,
  alpha: f64,
  kept: usize,
): u32 {
  let size: u32 = 0
  for (let c: u32 = 0; c < count && size < maxDegree; c++) {
    const row = load<u32>(rowPtrs + ((<usize>c) << 2))
    const limit = <f64>load<f32>(distances + ((<usize>c) << 2))
    let i: u32 = 0
    while (i < size) {
      const other = load<u32>(rowPtrs + ((<usize>load<u32>(kept + ((<usize>i) << 2))) << 2))
      if (alpha * <f64>l2F32(row, other, codeDims) < limit) break
      i++
    }
    if (i !== size) continue
    store<u32>(kept + ((<usize>size) << 2), c)
    size++
  }
  return size
}
