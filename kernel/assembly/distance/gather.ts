// Distances of one row to rows anywhere in memory, four at a time. Errors and exactness: pair.ts.
import { fourL2F32, fourL2I16 } from './pair'

@inline
function gather<T>(query: usize, rowPtrs: usize, count: u32, gridDims: u32, out: usize): void {
  for (let left = count; left > 0;) {
    const rows = min<u32>(4, left)
    const r0 = <usize>load<u32>(rowPtrs)
    // A short last group repeats its first row and drops the repeated results.
    const r1 = rows > 1 ? <usize>load<u32>(rowPtrs, 4) : r0
    const r2 = rows > 2 ? <usize>load<u32>(rowPtrs, 8) : r0
    const r3 = rows > 3 ? <usize>load<u32>(rowPtrs, 12) : r0
    const four = isFloat<T>() ? fourL2F32(query, r0, r1, r2, r3, gridDims) : fourL2I16(query, r0, r1, r2, r3, gridDims)
    if (rows === 4) v128.store(out, four)
    else {
      v128.store_lane<i32>(out, four, 0)
      if (rows > 1) v128.store_lane<i32>(out, four, 1, 4)
      if (rows > 2) v128.store_lane<i32>(out, four, 2, 8)
    }
    rowPtrs += 16
    out += 16
    left -= rows
  }
}

export function gatherL2I16(query: usize, rowPtrs: usize, count: u32, gridDims: u32, out: usize): void {
  gather<i16>(query, rowPtrs, count, gridDims, out)
}

export function gatherL2F32(query: usize, rowPtrs: usize, count: u32, gridDims: u32, out: usize): void {
  gather<f32>(query, rowPtrs, count, gridDims, out)
}
