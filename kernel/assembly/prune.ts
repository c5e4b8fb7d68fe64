// The occlusion rule: keep a candidate c unless some already kept q has alpha * d(c, q) < d(c, member), squared
// distances, nearest candidates first. DESIGN section 6.1 step 4; the rule is that of Subramanya et al., "DiskANN",
// NeurIPS 2019. The comparison is made in f64, where the product with an i32 or f32 distance is correctly rounded.
//
// A candidate meets four kept rows at a time, and no more once it is ruled out.
import { fourDotI16, fourL2F32 } from './pair'
import { normI16 } from './norms'

/** Norms of this many kept rows are remembered; beyond, they are computed again. More than 2 x the largest m. */
const REMEMBERED: u32 = 256
const NORMS: usize = memory.data(1024)

@inline
function keptNorm(slot: u32, row: usize, codeDims: u32): i32 {
  return slot < REMEMBERED ? load<i32>(NORMS + ((<usize>slot) << 2)) : normI16(row, codeDims)
}

// Whether alpha * d < limit for any of four distances.
@inline
function anyOccludes<T>(four: v128, alpha: v128, limit: v128): bool {
  const swapped = v128.shuffle<i32>(four, four, 2, 3, 0, 1)
  const low = isFloat<T>() ? f64x2.promote_low_f32x4(four) : f64x2.convert_low_i32x4_s(four)
  const high = isFloat<T>() ? f64x2.promote_low_f32x4(swapped) : f64x2.convert_low_i32x4_s(swapped)
  return v128.any_true(
    v128.or(v128.lt<f64>(v128.mul<f64>(low, alpha), limit), v128.lt<f64>(v128.mul<f64>(high, alpha), limit)),
  )
}

@inline
function prune<T>(
  rowPtrs: usize,
  distances: usize,
  count: u32,
  codeDims: u32,
  maxDegree: u32,
  alpha: f64,
  kept: usize,
): u32 {
  const factor = f64x2.splat(alpha)
  let size: u32 = 0
  for (let c: u32 = 0; c < count && size < maxDegree; c++) {
    const row = <usize>load<u32>(rowPtrs + ((<usize>c) << 2))
    const distance = distances + ((<usize>c) << 2)
    const limit = f64x2.splat(isFloat<T>() ? <f64>load<f32>(distance) : <f64>load<i32>(distance))
    const norm = isFloat<T>() ? 0 : normI16(row, codeDims)
    let occluded = false
    for (let i: u32 = 0; i < size; i += 4) {
      // A short last group repeats its first row, which changes nothing.
      const i1 = i + 1 < size ? i + 1 : i
      const i2 = i + 2 < size ? i + 2 : i
      const i3 = i + 3 < size ? i + 3 : i
      const r0 = <usize>load<u32>(rowPtrs + ((<usize>load<u32>(kept + ((<usize>i) << 2))) << 2))
      const r1 = <usize>load<u32>(rowPtrs + ((<usize>load<u32>(kept + ((<usize>i1) << 2))) << 2))
      const r2 = <usize>load<u32>(rowPtrs + ((<usize>load<u32>(kept + ((<usize>i2) << 2))) << 2))
      const r3 = <usize>load<u32>(rowPtrs + ((<usize>load<u32>(kept + ((<usize>i3) << 2))) << 2))
      let four: v128
      if (isFloat<T>()) four = fourL2F32(row, r0, r1, r2, r3, codeDims)
      else {
        let norms = i32x4.splat(keptNorm(i, r0, codeDims))
        norms = i32x4.replace_lane(norms, 1, keptNorm(i1, r1, codeDims))
        norms = i32x4.replace_lane(norms, 2, keptNorm(i2, r2, codeDims))
        norms = i32x4.replace_lane(norms, 3, keptNorm(i3, r3, codeDims))
        const dots = fourDotI16(row, r0, r1, r2, r3, codeDims)
        four = v128.sub<i32>(v128.add<i32>(norms, i32x4.splat(norm)), v128.shl<i32>(dots, 1))
      }
      if (anyOccludes<T>(four, factor, limit)) {
        occluded = true
        break
      }
    }
    if (occluded) continue
    if (!isFloat<T>() && size < REMEMBERED) store<i32>(NORMS + ((<usize>size) << 2), norm)
    store<u32>(kept + ((<usize>size) << 2), c)
    size++
  }
  return size
}

export function pruneI16(
  rowPtrs: usize,
  distances: usize,
  count: u32,
  codeDims: u32,
  maxDegree: u32,
  alpha: f64,
  kept: usize,
): u32 {
  return prune<i16>(rowPtrs, distances, count, codeDims, maxDegree, alpha, kept)
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
  return prune<f32>(rowPtrs, distances, count, codeDims, maxDegree, alpha, kept)
}
