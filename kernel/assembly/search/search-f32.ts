// Distances of a query to rows of single or half precision: squared l2, or bias - dot (bias 1 for cosine, 0 for ip).
import { fromHalf, loadHalves } from '../encode/encode-f16'
import { SearchContext, COSINE } from './search-context'

// Dimensions between checks for early rejection: 32 is 6% slower at 128 dimensions. At 384 the checks save 2%.
const CHUNK: u32 = 128

@inline
function sumLanes(a: v128): f32 {
  return (f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 2)) + (f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 3))
}

@inline
function component(half: bool, row: usize, i: u32): f32 {
  return half ? fromHalf(load<u16>(row + (<usize>i << 1))) : load<f32>(row + (<usize>i << 2))
}

@inline
function step(l2: bool, half: bool, accumulator: v128, q: v128, row: usize, i: u32): v128 {
  const x = half ? loadHalves(row + (<usize>i << 1)) : v128.load(row + (<usize>i << 2))
  if (l2) {
    const d = v128.sub<f32>(q, x)
    return v128.add<f32>(accumulator, v128.mul<f32>(d, d))
  }
  return v128.add<f32>(accumulator, v128.mul<f32>(q, x))
}

@inline
function scalarTail(l2: bool, half: bool, sum: f32, query: usize, row: usize, from: u32, dimensions: u32): f32 {
  for (let i = from; i < dimensions; i++) {
    const q = load<f32>(query + (<usize>i << 2))
    const x = component(half, row, i)
    if (l2) sum += (q - x) * (q - x)
    else sum += q * x
  }
  return sum
}

/**
 * Distances of four rows at once, sharing the query's loads. Once all four partial sums of l2 are beyond `worst` the
 * rest is skipped: sums only grow, so the rows are rejected anyway. A row's sum does not depend on its place. Always
 * inlined, so the parameters cost nothing.
 */
@inline
export function four(
  l2: bool, half: bool, query: usize, r0: usize, r1: usize, r2: usize, r3: usize, dimensions: u32, bias: f32,
  out: usize, worst: f32,
): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0)
  const aligned = dimensions & ~3
  let i: u32 = 0
  while (i < aligned) {
    const stop = l2 ? min(i + CHUNK, aligned) : aligned
    for (; i < stop; i += 4) {
      const q = v128.load(query + (<usize>i << 2))
      a0 = step(l2, half, a0, q, r0, i)
      a1 = step(l2, half, a1, q, r1, i)
      a2 = step(l2, half, a2, q, r2, i)
      a3 = step(l2, half, a3, q, r3, i)
    }
    if (l2 && i < aligned) {
      if (sumLanes(a0) > worst && sumLanes(a1) > worst && sumLanes(a2) > worst && sumLanes(a3) > worst) break
    }
  }
  let s0 = sumLanes(a0), s1 = sumLanes(a1), s2 = sumLanes(a2), s3 = sumLanes(a3)
  if (i >= aligned && aligned < dimensions) {
    s0 = scalarTail(l2, half, s0, query, r0, aligned, dimensions)
    s1 = scalarTail(l2, half, s1, query, r1, aligned, dimensions)
    s2 = scalarTail(l2, half, s2, query, r2, aligned, dimensions)
    s3 = scalarTail(l2, half, s3, query, r3, aligned, dimensions)
  }
  store<f32>(out, l2 ? s0 : bias - s0)
  store<f32>(out, l2 ? s1 : bias - s1, 4)
  store<f32>(out, l2 ? s2 : bias - s2, 8)
  store<f32>(out, l2 ? s3 : bias - s3, 12)
}

/** Distances to the rows at `c.addresses`, into `c.distances`. */
@inline
function floatRows(l2: bool, half: bool, c: SearchContext, count: u32, worst: f32): void {
  const rows = c.addresses
  const out = c.distances
  const query = c.query
  const dimensions = c.dimensions
  const bias: f32 = c.metric == COSINE ? 1 : 0
  for (let i: u32 = 0; i < count; i += 4) {
    const at = rows + (<usize>i << 2)
    four(
      l2, half, query, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12),
      dimensions, bias, out + (<usize>i << 2), worst,
    )
  }
}

export function f32L2Rows(c: SearchContext, count: u32, worst: f32): void {
  floatRows(true, false, c, count, worst)
}

export function f32DotRows(c: SearchContext, count: u32): void {
  floatRows(false, false, c, count, 0)
}

export function f16L2Rows(c: SearchContext, count: u32, worst: f32): void {
  floatRows(true, true, c, count, worst)
}

export function f16DotRows(c: SearchContext, count: u32): void {
  floatRows(false, true, c, count, 0)
}

@inline
function one(l2: bool, query: usize, row: usize, dimensions: u32): f32 {
  let a = f32x4.splat(0)
  const aligned = dimensions & ~3
  for (let i: u32 = 0; i < aligned; i += 4) a = step(l2, false, a, v128.load(query + (<usize>i << 2)), row, i)
  return scalarTail(l2, false, sumLanes(a), query, row, aligned, dimensions)
}

/** For searches outside this memory, which must agree with those inside to the bit. */
export function searchDistanceL2(query: usize, row: usize, dimensions: u32): f32 {
  return one(true, query, row, dimensions)
}

export function searchDistanceDot(query: usize, row: usize, dimensions: u32, bias: f32): f32 {
  return bias - one(false, query, row, dimensions)
}
