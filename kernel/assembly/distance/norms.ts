// Squared norms of grid rows. f32 adds one product after the other, in the order of the tile in distances.ts: this
// makes the distance of equal rows exactly 0. Four rows at once hide the latency of the additions.
import { sumLanes } from './lanes'

/** |row|^2 of an i16 row; exact below 2^31. */
@inline
export function normI16(row: usize, gridDims: u32): i32 {
  let a = i32x4.splat(0)
  let b = i32x4.splat(0)
  const end = row + ((<usize>gridDims) << 1)
  if (gridDims & 8) {
    const x = v128.load(row)
    a = i32x4.dot_i16x8_s(x, x)
    row += 16
  }
  while (row != end) {
    const x = v128.load(row)
    const y = v128.load(row, 16)
    a = v128.add<i32>(a, i32x4.dot_i16x8_s(x, x))
    b = v128.add<i32>(b, i32x4.dot_i16x8_s(y, y))
    row += 32
  }
  return sumLanes<i32>(v128.add<i32>(a, b))
}

export function normsI16(rows: usize, count: u32, gridDims: u32, out: usize): void {
  const rowBytes = (<usize>gridDims) << 1
  for (let r: u32 = 0; r < count; r++) {
    store<i32>(out, normI16(rows, gridDims))
    rows += rowBytes
    out += 4
  }
}

export function normsF32(rows: usize, count: u32, gridDims: u32, out: usize): void {
  const rowBytes = (<usize>gridDims) << 2
  let r: u32 = 0
  for (; count - r >= 4; r += 4) {
    const r1 = rows + rowBytes
    const r2 = r1 + rowBytes
    const r3 = r2 + rowBytes
    let sums = f32x4.splat(0)
    for (let at: usize = 0; at != rowBytes; at += 16) {
      const a = v128.load(rows + at)
      const b = v128.load(r1 + at)
      const c = v128.load(r2 + at)
      const d = v128.load(r3 + at)
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
      const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
      const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
      const x0 = v128.shuffle<i64>(ab0, cd0, 0, 2)
      const x1 = v128.shuffle<i64>(ab0, cd0, 1, 3)
      const x2 = v128.shuffle<i64>(ab1, cd1, 0, 2)
      const x3 = v128.shuffle<i64>(ab1, cd1, 1, 3)
      sums = v128.add<f32>(sums, v128.mul<f32>(x0, x0))
      sums = v128.add<f32>(sums, v128.mul<f32>(x1, x1))
      sums = v128.add<f32>(sums, v128.mul<f32>(x2, x2))
      sums = v128.add<f32>(sums, v128.mul<f32>(x3, x3))
    }
    v128.store(out, sums)
    rows = r3 + rowBytes
    out += 16
  }
  for (; r < count; r++) {
    let sum: f32 = 0
    for (let at: usize = 0; at != rowBytes; at += 4) {
      const x = load<f32>(rows + at)
      sum += x * x
    }
    store<f32>(out, sum)
    rows += rowBytes
    out += 4
  }
}
