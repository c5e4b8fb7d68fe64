// The occlusion rule of Subramanya et al., "DiskANN", NeurIPS 2019: nearest candidates first, keep a candidate c unless
// a kept q has alpha * d(c, q) < d(c, member), in squared distances. The comparison is made in f64, where the product
// with an i32 or f32 distance is correctly rounded.
//
// Each kept row is compared with the remaining candidates, four at a time, and rules out some of them: the cache misses
// of four rows overlap, and no candidate is compared again once it is ruled out.
import { fourDotI16, fourL2F32 } from '../distance/pair'
import { normI16 } from '../distance/norms'

/** A bit for each of four distances d, set when alpha * d < limit. */
@inline
function occludedMask<T>(four: v128, limits: v128, alpha: v128): u32 {
  const far = v128.shuffle<i32>(four, four, 2, 3, 0, 1)
  const farLimits = v128.shuffle<i32>(limits, limits, 2, 3, 0, 1)
  const low = v128.lt<f64>(v128.mul<f64>(wide<T>(four), alpha), wide<T>(limits))
  const high = v128.lt<f64>(v128.mul<f64>(wide<T>(far), alpha), wide<T>(farLimits))
  return i64x2.bitmask(low) | (i64x2.bitmask(high) << 2)
}

@inline
function wide<T>(x: v128): v128 {
  return isFloat<T>() ? f64x2.promote_low_f32x4(x) : f64x2.convert_low_i32x4_s(x)
}

@inline
function fourOf(words: usize, o0: usize, o1: usize, o2: usize, o3: usize): v128 {
  let four = v128.load32_zero(words + o0)
  four = v128.load_lane<i32>(words + o1, four, 1)
  four = v128.load_lane<i32>(words + o2, four, 2)
  return v128.load_lane<i32>(words + o3, four, 3)
}

/** norms: i32 x count for i16 rows, unused for f32. kept: u32 x count; the words after the result hold anything. */
@inline
export function pruneWithNorms<T>(
  rowPtrs: usize, norms: usize, distances: usize, count: u32, gridDims: u32, maxDegree: u32, alpha: f64, kept: usize,
): u32 {
  const factor = f64x2.splat(alpha)
  for (let c: u32 = 0; c < count; c++) store<u32>(kept + ((<usize>c) << 2), c)
  // [kept, next) are kept, [next, end) remain.
  let next = kept
  let end = kept + ((<usize>count) << 2)
  const full = kept + ((<usize>maxDegree) << 2)
  while (next < end && next < full) {
    const own = (<usize>load<u32>(next)) << 2
    next += 4
    if (next === full) break
    const row = <usize>load<u32>(rowPtrs + own)
    let to = next
    for (let at = next; at < end; at += 16) {
      // A short last group repeats its first candidate, and does not store the repeats.
      const left = end - at
      const o0 = (<usize>load<u32>(at)) << 2
      const o1 = left > 4 ? (<usize>load<u32>(at, 4)) << 2 : o0
      const o2 = left > 8 ? (<usize>load<u32>(at, 8)) << 2 : o0
      const o3 = left > 12 ? (<usize>load<u32>(at, 12)) << 2 : o0
      const r0 = <usize>load<u32>(rowPtrs + o0)
      const r1 = <usize>load<u32>(rowPtrs + o1)
      const r2 = <usize>load<u32>(rowPtrs + o2)
      const r3 = <usize>load<u32>(rowPtrs + o3)
      let four: v128
      if (isFloat<T>()) four = fourL2F32(row, r0, r1, r2, r3, gridDims)
      else {
        const sums = v128.add<i32>(fourOf(norms, o0, o1, o2, o3), v128.load32_splat(norms + own))
        four = v128.sub<i32>(sums, v128.shl<i32>(fourDotI16(row, r0, r1, r2, r3, gridDims), 1))
      }
      const mask = occludedMask<T>(four, fourOf(distances, o0, o1, o2, o3), factor)
      // Candidates that stay move up; the others are overwritten by the next.
      store<u32>(to, <u32>(o0 >> 2))
      to += <usize>(~mask & 1) << 2
      if (left > 4) {
        store<u32>(to, <u32>(o1 >> 2))
        to += <usize>((~mask >> 1) & 1) << 2
      }
      if (left > 8) {
        store<u32>(to, <u32>(o2 >> 2))
        to += <usize>((~mask >> 2) & 1) << 2
      }
      if (left > 12) {
        store<u32>(to, <u32>(o3 >> 2))
        to += <usize>((~mask >> 3) & 1) << 2
      }
    }
    end = to
  }
  return <u32>((next - kept) >> 2)
}

export function pruneI16(
  rowPtrs: usize, distances: usize, count: u32, gridDims: u32, maxDegree: u32, alpha: f64, kept: usize,
): u32 {
  const norms = kept + ((<usize>count) << 2)
  for (let c: usize = 0; c < (<usize>count) << 2; c += 4) {
    store<i32>(norms + c, normI16(<usize>load<u32>(rowPtrs + c), gridDims))
  }
  return pruneWithNorms<i16>(rowPtrs, norms, distances, count, gridDims, maxDegree, alpha, kept)
}

export function pruneF32(
  rowPtrs: usize, distances: usize, count: u32, gridDims: u32, maxDegree: u32, alpha: f64, kept: usize,
): u32 {
  return pruneWithNorms<f32>(rowPtrs, 0, distances, count, gridDims, maxDegree, alpha, kept)
}
