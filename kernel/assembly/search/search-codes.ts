// Distances of a query to quantized vectors (encode-*.ts has their layouts). The query is prepared once, for its metric
// and codebook, so the work per row does not depend on the metric. Smaller is nearer. Except for binary, values
// approximate the metric: squared l2, half of it between unit vectors (which is 1 - cos), -ip.
import { binaryBytes, binaryCode } from '../encode/encode-binary'
import { centroidTable, subspaceStart, TABLE_BYTES } from '../encode/encode-pq'
import { sq8Tail } from '../encode/encode-sq8'
import { sumLanes } from '../distance/lanes'
import { COSINE, IP, L2, RowTable, SearchContext } from './search-context'

/** The largest sum of weights times codes: within an i32. */
const SQ8_LIMIT: f32 = 2147000000
const SQ8_LARGEST_CODE: f32 = 127
const I16_LARGEST: f32 = 32767

@inline
function paddedDimensions(dimensions: u32): u32 {
  return (dimensions + 15) & ~15
}

/**
 * With p = query - middle: l2 is |p|^2 + |step code|^2 - 2 p (step code). The weights 2 p step are rounded to i16,
 * scaled so that no sum overflows. Zero weights in the padding cancel the bytes behind a row's codes.
 */
export function prepareSq8(c: SearchContext): void {
  const dimensions = c.dimensions
  const middles = c.codebook
  const steps = middles + (<usize>dimensions << 2)
  const factor: f32 = c.metric == L2 ? 2 : 1
  let largest: f32 = 0
  let sum: f32 = 0
  let bias: f32 = 0
  for (let d: u32 = 0; d < dimensions; d++) {
    const o = <usize>d << 2
    const q = load<f32>(c.query + o)
    const middle = load<f32>(middles + o)
    const p = c.metric == IP ? q : q - middle
    bias += c.metric == IP ? q * middle : p * p
    const weight = abs<f32>(factor * p * load<f32>(steps + o))
    largest = max<f32>(largest, weight)
    sum += weight
  }
  // Leave room for half a unit of rounding in each weight.
  const room = SQ8_LIMIT / SQ8_LARGEST_CODE - <f32>dimensions
  const scale = largest > 0 ? min<f32>(I16_LARGEST / largest, room / sum) : <f32>1
  for (let d: u32 = 0; d < dimensions; d++) {
    const o = <usize>d << 2
    const q = load<f32>(c.query + o)
    const p = c.metric == IP ? q : q - load<f32>(middles + o)
    const weight = nearest<f32>(factor * p * load<f32>(steps + o) * scale)
    store<i16>(c.prepared + (<usize>d << 1), <i16>max<f32>(-I16_LARGEST, min<f32>(I16_LARGEST, weight)))
  }
  for (let d = dimensions; d < paddedDimensions(dimensions); d++) store<i16>(c.prepared + (<usize>d << 1), 0)
  c.preparedScale = 1 / scale
  c.preparedBias = c.metric == IP ? -bias : c.metric == COSINE ? bias * 0.5 : bias
}

@inline
function sq8Step(sum: v128, low: v128, high: v128, codes: usize): v128 {
  const bytes = v128.load(codes)
  return v128.add<i32>(
    v128.add<i32>(sum, i32x4.dot_i16x8_s(low, i16x8.extend_low_i8x16_s(bytes))),
    i32x4.dot_i16x8_s(high, i16x8.extend_high_i8x16_s(bytes)),
  )
}

export function sq8Rows(c: SearchContext, count: u32): void {
  const rows = c.addresses
  const out = c.distances
  const weights = c.prepared
  const end = paddedDimensions(c.dimensions)
  const tail = sq8Tail(c.dimensions)
  const scale = c.preparedScale
  const bias = c.preparedBias
  for (let i: u32 = 0; i < count; i += 4) {
    const at = rows + (<usize>i << 2)
    const r0 = <usize>load<u32>(at), r1 = <usize>load<u32>(at, 4)
    const r2 = <usize>load<u32>(at, 8), r3 = <usize>load<u32>(at, 12)
    let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
    for (let d: usize = 0; d < end; d += 16) {
      const low = v128.load(weights + (d << 1))
      const high = v128.load(weights + (d << 1), 16)
      a0 = sq8Step(a0, low, high, r0 + d)
      a1 = sq8Step(a1, low, high, r1 + d)
      a2 = sq8Step(a2, low, high, r2 + d)
      a3 = sq8Step(a3, low, high, r3 + d)
    }
    const to = out + (<usize>i << 2)
    store<f32>(to, bias + load<f32>(r0 + tail) - scale * <f32>sumLanes<i32>(a0))
    store<f32>(to, bias + load<f32>(r1 + tail) - scale * <f32>sumLanes<i32>(a1), 4)
    store<f32>(to, bias + load<f32>(r2 + tail) - scale * <f32>sumLanes<i32>(a2), 8)
    store<f32>(to, bias + load<f32>(r3 + tail) - scale * <f32>sumLanes<i32>(a3), 12)
  }
}

/** One table per subspace: distances of the query's part to all 256 centroids. */
export function preparePq(c: SearchContext): void {
  const dimensions = c.dimensions
  const subspaces = changetype<RowTable>(c.walked).stride
  let table = c.prepared
  for (let s: u32 = 0; s < subspaces; s++) {
    const from = subspaceStart(s, subspaces, dimensions)
    const to = subspaceStart(s + 1, subspaces, dimensions)
    if (c.metric == IP) centroidTable(false, c.query, c.codebook, from, to, table)
    else centroidTable(true, c.query, c.codebook, from, to, table)
    table += TABLE_BYTES
  }
  c.preparedScale = c.metric == IP ? -1 : c.metric == COSINE ? 0.5 : 1
}

@inline
function entry(table: usize, code: usize): f32 {
  return load<f32>(table + (<usize>load<u8>(code) << 2))
}

export function pqRows(c: SearchContext, count: u32): void {
  const rows = c.addresses
  const out = c.distances
  const scale = c.preparedScale
  const subspaces = <usize>changetype<RowTable>(c.walked).stride
  for (let i: u32 = 0; i < count; i += 4) {
    const at = rows + (<usize>i << 2)
    const r0 = <usize>load<u32>(at), r1 = <usize>load<u32>(at, 4)
    const r2 = <usize>load<u32>(at, 8), r3 = <usize>load<u32>(at, 12)
    let s0: f32 = 0, s1: f32 = 0, s2: f32 = 0, s3: f32 = 0
    let table = c.prepared
    for (let s: usize = 0; s < subspaces; s++) {
      s0 += entry(table, r0 + s)
      s1 += entry(table, r1 + s)
      s2 += entry(table, r2 + s)
      s3 += entry(table, r3 + s)
      table += TABLE_BYTES
    }
    const to = out + (<usize>i << 2)
    store<f32>(to, s0 * scale)
    store<f32>(to, s1 * scale, 4)
    store<f32>(to, s2 * scale, 8)
    store<f32>(to, s3 * scale, 12)
  }
}

export function prepareBinary(c: SearchContext): void {
  binaryCode(c.query, c.dimensions, c.codebook, c.prepared, c.prepared + binaryBytes(c.dimensions))
}

@inline
function differing(sum: v128, query: v128, codes: usize): v128 {
  return v128.add<i16>(sum, i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(v128.xor(query, v128.load(codes)))))
}

@inline
function bits(a: v128): f32 {
  return <f32>sumLanes<i32>(i32x4.extadd_pairwise_i16x8_u(a))
}

/** Hamming distances. A lane grows by at most 16 a step, so 4,095 steps (524,160 dimensions) fit. */
export function binaryRows(c: SearchContext, count: u32): void {
  const rows = c.addresses
  const out = c.distances
  const query = c.prepared
  const end = binaryBytes(c.dimensions)
  for (let i: u32 = 0; i < count; i += 4) {
    const at = rows + (<usize>i << 2)
    const r0 = <usize>load<u32>(at), r1 = <usize>load<u32>(at, 4)
    const r2 = <usize>load<u32>(at, 8), r3 = <usize>load<u32>(at, 12)
    let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
    for (let o: usize = 0; o < end; o += 16) {
      const q = v128.load(query + o)
      a0 = differing(a0, q, r0 + o)
      a1 = differing(a1, q, r1 + o)
      a2 = differing(a2, q, r2 + o)
      a3 = differing(a3, q, r3 + o)
    }
    const to = out + (<usize>i << 2)
    store<f32>(to, bits(a0))
    store<f32>(to, bits(a1), 4)
    store<f32>(to, bits(a2), 8)
    store<f32>(to, bits(a3), 12)
  }
}
