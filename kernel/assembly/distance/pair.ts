// Distances of one pair of rows, and of one row to four at once.
//
// i16: |a|^2 + |b|^2 - 2 a.b, not the sum of (a - b)^2: a difference of two components needs 17 bits, the three dot
// products do not. Exact while the distance is below 2^31.
// f32: sums of (a - b)^2 or a * b, in 16 partial sums for a pair and in 8 per row for four rows at once. With n
// dimensions the error of dotF32 is at most (n / 16 + 10) * 2^-24 times the sum of |a * b|. The errors of l2F32, (n /
// 16 + 12) * 2^-24, and of four rows, (n / 8 + 10) * 2^-24, are relative to the distance itself: near pairs are as
// accurate as far ones.
import { sumEach, sumLanes } from './lanes'

export function l2I16(a: usize, b: usize, gridDims: u32): i32 {
  let aa = i32x4.splat(0)
  let bb = i32x4.splat(0)
  let ab = i32x4.splat(0)
  const end = a + ((<usize>gridDims) << 1)
  while (a != end) {
    const x = v128.load(a)
    const y = v128.load(b)
    aa = v128.add<i32>(aa, i32x4.dot_i16x8_s(x, x))
    bb = v128.add<i32>(bb, i32x4.dot_i16x8_s(y, y))
    ab = v128.add<i32>(ab, i32x4.dot_i16x8_s(x, y))
    a += 16
    b += 16
  }
  return sumLanes<i32>(v128.sub<i32>(v128.add<i32>(aa, bb), v128.shl<i32>(ab, 1)))
}

@inline
function term(l2: bool, sum: v128, x: v128, y: v128): v128 {
  if (!l2) return v128.add<f32>(sum, v128.mul<f32>(x, y))
  const difference = v128.sub<f32>(x, y)
  return v128.add<f32>(sum, v128.mul<f32>(difference, difference))
}

@inline
function pairF32(l2: bool, a: usize, b: usize, dimensions: u32): f32 {
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  let left = dimensions
  for (; left >= 16; left -= 16) {
    s0 = term(l2, s0, v128.load(a), v128.load(b))
    s1 = term(l2, s1, v128.load(a, 16), v128.load(b, 16))
    s2 = term(l2, s2, v128.load(a, 32), v128.load(b, 32))
    s3 = term(l2, s3, v128.load(a, 48), v128.load(b, 48))
    a += 64
    b += 64
  }
  for (; left >= 4; left -= 4) {
    s0 = term(l2, s0, v128.load(a), v128.load(b))
    a += 16
    b += 16
  }
  let tail: f32 = 0
  for (; left > 0; left--) {
    const x = load<f32>(a)
    const y = load<f32>(b)
    tail += l2 ? (x - y) * (x - y) : x * y
    a += 4
    b += 4
  }
  return sumLanes<f32>(v128.add<f32>(v128.add<f32>(s0, s1), v128.add<f32>(s2, s3))) + tail
}

export function l2F32(a: usize, b: usize, dimensions: u32): f32 {
  return pairF32(true, a, b, dimensions)
}

export function dotF32(a: usize, b: usize, dimensions: u32): f32 {
  return pairF32(false, a, b, dimensions)
}

/** Squared l2 of one i16 row to four, given as four i32. The four rows' cache misses overlap. */
@inline
export function fourL2I16(query: usize, r0: usize, r1: usize, r2: usize, r3: usize, gridDims: u32): v128 {
  let qq = i32x4.splat(0)
  let n0 = i32x4.splat(0)
  let n1 = i32x4.splat(0)
  let n2 = i32x4.splat(0)
  let n3 = i32x4.splat(0)
  let d0 = i32x4.splat(0)
  let d1 = i32x4.splat(0)
  let d2 = i32x4.splat(0)
  let d3 = i32x4.splat(0)
  const end = query + ((<usize>gridDims) << 1)
  while (query != end) {
    const q = v128.load(query)
    qq = v128.add<i32>(qq, i32x4.dot_i16x8_s(q, q))
    let x = v128.load(r0)
    n0 = v128.add<i32>(n0, i32x4.dot_i16x8_s(x, x))
    d0 = v128.add<i32>(d0, i32x4.dot_i16x8_s(x, q))
    x = v128.load(r1)
    n1 = v128.add<i32>(n1, i32x4.dot_i16x8_s(x, x))
    d1 = v128.add<i32>(d1, i32x4.dot_i16x8_s(x, q))
    x = v128.load(r2)
    n2 = v128.add<i32>(n2, i32x4.dot_i16x8_s(x, x))
    d2 = v128.add<i32>(d2, i32x4.dot_i16x8_s(x, q))
    x = v128.load(r3)
    n3 = v128.add<i32>(n3, i32x4.dot_i16x8_s(x, x))
    d3 = v128.add<i32>(d3, i32x4.dot_i16x8_s(x, q))
    query += 16
    r0 += 16
    r1 += 16
    r2 += 16
    r3 += 16
  }
  const norms = v128.add<i32>(sumEach<i32>(n0, n1, n2, n3), i32x4.splat(sumLanes<i32>(qq)))
  return v128.sub<i32>(norms, v128.shl<i32>(sumEach<i32>(d0, d1, d2, d3), 1))
}

/** Inner products of one i16 row with four, as four i32. */
@inline
export function fourDotI16(query: usize, r0: usize, r1: usize, r2: usize, r3: usize, gridDims: u32): v128 {
  let d0 = i32x4.splat(0)
  let d1 = i32x4.splat(0)
  let d2 = i32x4.splat(0)
  let d3 = i32x4.splat(0)
  const end = query + ((<usize>gridDims) << 1)
  while (query != end) {
    const q = v128.load(query)
    d0 = v128.add<i32>(d0, i32x4.dot_i16x8_s(q, v128.load(r0)))
    d1 = v128.add<i32>(d1, i32x4.dot_i16x8_s(q, v128.load(r1)))
    d2 = v128.add<i32>(d2, i32x4.dot_i16x8_s(q, v128.load(r2)))
    d3 = v128.add<i32>(d3, i32x4.dot_i16x8_s(q, v128.load(r3)))
    query += 16
    r0 += 16
    r1 += 16
    r2 += 16
    r3 += 16
  }
  return sumEach<i32>(d0, d1, d2, d3)
}

/** Squared l2 of one f32 row to four, as four f32. */
@inline
export function fourL2F32(query: usize, r0: usize, r1: usize, r2: usize, r3: usize, gridDims: u32): v128 {
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  const end = query + ((<usize>gridDims) << 2)
  while (query != end) {
    let q = v128.load(query)
    a0 = term(true, a0, q, v128.load(r0))
    a1 = term(true, a1, q, v128.load(r1))
    a2 = term(true, a2, q, v128.load(r2))
    a3 = term(true, a3, q, v128.load(r3))
    q = v128.load(query, 16)
    b0 = term(true, b0, q, v128.load(r0, 16))
    b1 = term(true, b1, q, v128.load(r1, 16))
    b2 = term(true, b2, q, v128.load(r2, 16))
    b3 = term(true, b3, q, v128.load(r3, 16))
    query += 32
    r0 += 32
    r1 += 32
    r2 += 32
    r3 += 32
  }
  return sumEach<f32>(v128.add<f32>(a0, b0), v128.add<f32>(a1, b1), v128.add<f32>(a2, b2), v128.add<f32>(a3, b3))
}
