// Matrix of squared l2 distances, queries x packed targets: |q|^2 + |t|^2 - 2 q.t. Nearly all build time is spent here.
//
//               half a panel: pack.ts has the layout
//               t0 t1 t2 t3    t4 t5 t6 t7
//     q0  --->  [   a0    ]    [   b0    ]      One tile: 4 queries x 8 targets in 8 accumulators. Per step two loads
//     q1  --->  [   a1    ]    [   b1    ]      bring 8 targets, four load32_splat bring a word of each query (one
//     q2  --->  [   a2    ]    [   b2    ]      dimension in f32, two in i16), and each meets each.
//     q3  --->  [   a3    ]    [   b3    ]
//
// i16 is exact while every squared norm is at most 5e8: a distance then fits in i32 (intermediate sums may wrap modulo
// 2^32, which is harmless). f32 adds each pair's products one after the other, as norms.ts does: a pair's result does
// not depend on its place in the matrix, is symmetric, and is exactly 0 for equal rows. Its error is at most (gridDims
// + 4) * 2^-23 * (|q|^2 + |t|^2).
//
// The wide tile has all 16 targets of a panel, in 16 accumulators, for an engine that makes one instruction of two: V8
// joins operations whose loads or stores are side by side in memory (kernel/wide-tile.ts), so 8 registers are enough.
// Where it does not, 16 accumulators leave none free. In i16, giga multiply-adds per second on a busy machine, Node 20:
// 37 and with the wide tile 24; Node 24: 43 and 35; Node 24 with V8's flag: 64 and 84.
//
// The step must not be unrolled: V8 moves all loads of a basic block to its front, and with two steps in one block the
// accumulators spill (measured on Node 20, Zen 5: 40 instead of 51 giga multiply-adds per second in i16).
//
// Source: register tiling after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", TOMS 2008.

/**
 * The panels of one block stay in L2 while all queries pass. 16 KiB to 512 KiB measured the same at 128 and 768
 * dimensions.
 */
const BLOCK_BYTES: u32 = 131_072

// The edge of the matrix goes through the same tile, with this scratch around it, so its values are the same.
const EDGE_TARGET_NORMS: usize = memory.data(64)
const EDGE_QUERY_NORMS: usize = memory.data(16)
const EDGE_OUT: usize = memory.data(256)
const EDGE_OUT_BYTES: usize = 64

@inline
function step<T>(sum: v128, query: v128, target: v128): v128 {
  if (isFloat<T>()) return v128.add<f32>(sum, v128.mul<f32>(query, target))
  return v128.add<i32>(sum, i32x4.dot_i16x8_s(query, target))
}

@inline
function squaredL2<T>(queryNorm: v128, targetNorms: v128, dots: v128): v128 {
  if (isFloat<T>()) {
    const value = v128.sub<f32>(v128.add<f32>(queryNorm, targetNorms), v128.add<f32>(dots, dots))
    return f32x4.pmax(value, f32x4.splat(0))
  }
  return v128.sub<i32>(v128.add<i32>(queryNorm, targetNorms), v128.shl<i32>(dots, 1))
}

// Positional, not a block: this is the innermost call of a build, and its arguments differ in every call.
function tile<T>(
  q0: usize, q1: usize, q2: usize, q3: usize, queryNorms: usize, panel: usize, panelBytes: usize, targetNorms: usize,
  out: usize, outBytes: usize,
): void {
  let a0 = i32x4.splat(0)
  let a1 = i32x4.splat(0)
  let a2 = i32x4.splat(0)
  let a3 = i32x4.splat(0)
  let b0 = i32x4.splat(0)
  let b1 = i32x4.splat(0)
  let b2 = i32x4.splat(0)
  let b3 = i32x4.splat(0)
  // `!=`, not `<`: the last panel may end at 4 GiB, where addresses wrap to 0.
  const end = panel + panelBytes
  while (panel != end) {
    const a = v128.load(panel)
    const b = v128.load(panel, 16)
    let q = v128.load32_splat(q0)
    a0 = step<T>(a0, q, a)
    b0 = step<T>(b0, q, b)
    q = v128.load32_splat(q1)
    a1 = step<T>(a1, q, a)
    b1 = step<T>(b1, q, b)
    q = v128.load32_splat(q2)
    a2 = step<T>(a2, q, a)
    b2 = step<T>(b2, q, b)
    q = v128.load32_splat(q3)
    a3 = step<T>(a3, q, a)
    b3 = step<T>(b3, q, b)
    panel += 64
    q0 += 4
    q1 += 4
    q2 += 4
    q3 += 4
  }
  const na = v128.load(targetNorms)
  const nb = v128.load(targetNorms, 16)
  let nq = v128.load32_splat(queryNorms)
  v128.store(out, squaredL2<T>(nq, na, a0))
  v128.store(out, squaredL2<T>(nq, nb, b0), 16)
  out += outBytes
  nq = v128.load32_splat(queryNorms, 4)
  v128.store(out, squaredL2<T>(nq, na, a1))
  v128.store(out, squaredL2<T>(nq, nb, b1), 16)
  out += outBytes
  nq = v128.load32_splat(queryNorms, 8)
  v128.store(out, squaredL2<T>(nq, na, a2))
  v128.store(out, squaredL2<T>(nq, nb, b2), 16)
  out += outBytes
  nq = v128.load32_splat(queryNorms, 12)
  v128.store(out, squaredL2<T>(nq, na, a3))
  v128.store(out, squaredL2<T>(nq, nb, b3), 16)
}

/** As tile, with all 16 targets of a panel: made for engines that compute with two vectors in one instruction. */
function wideTile<T>(
  q0: usize, q1: usize, q2: usize, q3: usize, queryNorms: usize, panel: usize, panelBytes: usize, targetNorms: usize,
  out: usize, outBytes: usize,
): void {
  let a0 = i32x4.splat(0)
  let a1 = i32x4.splat(0)
  let a2 = i32x4.splat(0)
  let a3 = i32x4.splat(0)
  let b0 = i32x4.splat(0)
  let b1 = i32x4.splat(0)
  let b2 = i32x4.splat(0)
  let b3 = i32x4.splat(0)
  let c0 = i32x4.splat(0)
  let c1 = i32x4.splat(0)
  let c2 = i32x4.splat(0)
  let c3 = i32x4.splat(0)
  let d0 = i32x4.splat(0)
  let d1 = i32x4.splat(0)
  let d2 = i32x4.splat(0)
  let d3 = i32x4.splat(0)
  const end = panel + panelBytes
  while (panel != end) {
    const a = v128.load(panel)
    const b = v128.load(panel, 16)
    const c = v128.load(panel, 32)
    const d = v128.load(panel, 48)
    let q = v128.load32_splat(q0)
    a0 = step<T>(a0, q, a)
    b0 = step<T>(b0, q, b)
    c0 = step<T>(c0, q, c)
    d0 = step<T>(d0, q, d)
    q = v128.load32_splat(q1)
    a1 = step<T>(a1, q, a)
    b1 = step<T>(b1, q, b)
    c1 = step<T>(c1, q, c)
    d1 = step<T>(d1, q, d)
    q = v128.load32_splat(q2)
    a2 = step<T>(a2, q, a)
    b2 = step<T>(b2, q, b)
    c2 = step<T>(c2, q, c)
    d2 = step<T>(d2, q, d)
    q = v128.load32_splat(q3)
    a3 = step<T>(a3, q, a)
    b3 = step<T>(b3, q, b)
    c3 = step<T>(c3, q, c)
    d3 = step<T>(d3, q, d)
    panel += 64
    q0 += 4
    q1 += 4
    q2 += 4
    q3 += 4
  }
  const na = v128.load(targetNorms)
  const nb = v128.load(targetNorms, 16)
  const nc = v128.load(targetNorms, 32)
  const nd = v128.load(targetNorms, 48)
  let nq = v128.load32_splat(queryNorms)
  v128.store(out, squaredL2<T>(nq, na, a0))
  v128.store(out, squaredL2<T>(nq, nb, b0), 16)
  v128.store(out, squaredL2<T>(nq, nc, c0), 32)
  v128.store(out, squaredL2<T>(nq, nd, d0), 48)
  out += outBytes
  nq = v128.load32_splat(queryNorms, 4)
  v128.store(out, squaredL2<T>(nq, na, a1))
  v128.store(out, squaredL2<T>(nq, nb, b1), 16)
  v128.store(out, squaredL2<T>(nq, nc, c1), 32)
  v128.store(out, squaredL2<T>(nq, nd, d1), 48)
  out += outBytes
  nq = v128.load32_splat(queryNorms, 8)
  v128.store(out, squaredL2<T>(nq, na, a2))
  v128.store(out, squaredL2<T>(nq, nb, b2), 16)
  v128.store(out, squaredL2<T>(nq, nc, c2), 32)
  v128.store(out, squaredL2<T>(nq, nd, d2), 48)
  out += outBytes
  nq = v128.load32_splat(queryNorms, 12)
  v128.store(out, squaredL2<T>(nq, na, a3))
  v128.store(out, squaredL2<T>(nq, nb, b3), 16)
  v128.store(out, squaredL2<T>(nq, nc, c3), 32)
  v128.store(out, squaredL2<T>(nq, nd, d3), 48)
}

// A loop, not memory.copy: for a few words V8's call costs more than the copy.
@inline
function copyWords(to: usize, from: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) store<u32>(to + ((<usize>i) << 2), load<u32>(from + ((<usize>i) << 2)))
}

@inline
function distances<T>(
  wide: bool, queries: usize, queryNorms: usize, queryCount: u32, panels: usize, targetNorms: usize, targetCount: u32,
  gridDims: u32, out: usize, outStride: u32,
): void {
  const rowBytes = <usize>gridDims * sizeof<T>()
  const panelBytes = rowBytes << 4
  const outBytes = (<usize>outStride) << 2
  const blockTargets = max<u32>(16, (BLOCK_BYTES / max<u32>(1, <u32>rowBytes)) & ~15)
  const width: u32 = wide ? 16 : 8
  for (let block: u32 = 0; block < targetCount; block += blockTargets) {
    const blockEnd = block + min<u32>(blockTargets, targetCount - block)
    for (let q: u32 = 0; q < queryCount; q += 4) {
      const rows = min<u32>(4, queryCount - q)
      // Missing queries repeat the last one; their results are dropped.
      const q0 = queries + <usize>q * rowBytes
      const q1 = rows > 1 ? q0 + rowBytes : q0
      const q2 = rows > 2 ? q1 + rowBytes : q1
      const q3 = rows > 3 ? q2 + rowBytes : q2
      const norms = queryNorms + ((<usize>q) << 2)
      const outRow = out + <usize>q * outBytes
      for (let t = block; t < blockEnd; t += width) {
        const columns = min<u32>(width, targetCount - t)
        // Of a panel's 64 bytes the second half is targets 8 to 15.
        const panel = panels + <usize>(t >> 4) * panelBytes + ((<usize>t & 8) << 2)
        const tNorms = targetNorms + ((<usize>t) << 2)
        const to = outRow + ((<usize>t) << 2)
        if (rows === 4 && columns === width) {
          if (wide) wideTile<T>(q0, q1, q2, q3, norms, panel, panelBytes, tNorms, to, outBytes)
          else tile<T>(q0, q1, q2, q3, norms, panel, panelBytes, tNorms, to, outBytes)
          continue
        }
        copyWords(EDGE_QUERY_NORMS, norms, rows)
        copyWords(EDGE_TARGET_NORMS, tNorms, columns)
        if (wide && columns > 8) {
          wideTile<T>(q0, q1, q2, q3, EDGE_QUERY_NORMS, panel, panelBytes, EDGE_TARGET_NORMS, EDGE_OUT, EDGE_OUT_BYTES)
        } else {
          tile<T>(q0, q1, q2, q3, EDGE_QUERY_NORMS, panel, panelBytes, EDGE_TARGET_NORMS, EDGE_OUT, EDGE_OUT_BYTES)
        }
        for (let r: u32 = 0; r < rows; r++) {
          copyWords(to + <usize>r * outBytes, EDGE_OUT + <usize>r * EDGE_OUT_BYTES, columns)
        }
      }
    }
  }
}

export function distancesI16(
  queries: usize, queryNorms: usize, queryCount: u32, panels: usize, targetNorms: usize, targetCount: u32,
  gridDims: u32, out: usize, outStride: u32,
): void {
  distances<i16>(false, queries, queryNorms, queryCount, panels, targetNorms, targetCount, gridDims, out, outStride)
}

export function distancesF32(
  queries: usize, queryNorms: usize, queryCount: u32, panels: usize, targetNorms: usize, targetCount: u32,
  gridDims: u32, out: usize, outStride: u32,
): void {
  distances<f32>(false, queries, queryNorms, queryCount, panels, targetNorms, targetCount, gridDims, out, outStride)
}

export function distancesWideI16(
  queries: usize, queryNorms: usize, queryCount: u32, panels: usize, targetNorms: usize, targetCount: u32,
  gridDims: u32, out: usize, outStride: u32,
): void {
  distances<i16>(true, queries, queryNorms, queryCount, panels, targetNorms, targetCount, gridDims, out, outStride)
}

export function distancesWideF32(
  queries: usize, queryNorms: usize, queryCount: u32, panels: usize, targetNorms: usize, targetCount: u32,
  gridDims: u32, out: usize, outStride: u32,
): void {
  distances<f32>(true, queries, queryNorms, queryCount, panels, targetNorms, targetCount, gridDims, out, outStride)
}
