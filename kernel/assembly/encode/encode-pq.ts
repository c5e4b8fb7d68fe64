// Product quantization (Jegou, Douze, Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011): the
// dimensions are cut into subspaces, and the code of each part of a row is the nearest of 256 centroids.
//
// Of n dimensions, subspace s of S has floor(s * n / S) to floor((s + 1) * n / S) - 1. The codebook is f32
// [dimension][256 centroids], so that four centroids are compared at once.

export const CENTROIDS: u32 = 256
/** Bytes of one dimension of a codebook, and of one table of distances. */
export const TABLE_BYTES: usize = 1024

@inline
export function subspaceStart(s: u32, subspaces: u32, dimensions: u32): u32 {
  return <u32>((<u64>s * <u64>dimensions) / <u64>subspaces)
}

/**
 * Squared l2 (or the dot product) of the row's part from dimension `from` to `to - 1` with all centroids: f32 x 256.
 */
@inline
export function centroidTable(l2: bool, row: usize, codebook: usize, from: u32, to: u32, out: usize): void {
  for (let c: usize = 0; c < TABLE_BYTES; c += 32) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let centroids = codebook + <usize>from * TABLE_BYTES + c
    for (let d = from; d < to; d++) {
      const x = v128.load32_splat(row + (<usize>d << 2))
      if (l2) {
        const da = v128.sub<f32>(x, v128.load(centroids))
        const db = v128.sub<f32>(x, v128.load(centroids, 16))
        a = v128.add<f32>(a, v128.mul<f32>(da, da))
        b = v128.add<f32>(b, v128.mul<f32>(db, db))
      } else {
        a = v128.add<f32>(a, v128.mul<f32>(x, v128.load(centroids)))
        b = v128.add<f32>(b, v128.mul<f32>(x, v128.load(centroids, 16)))
      }
      centroids += TABLE_BYTES
    }
    v128.store(out + c, a)
    v128.store(out + c, b, 16)
  }
}

/** The index of the smallest of 256, the first of equal ones. */
@inline
function smallest(table: usize): u32 {
  let least = v128.load(table)
  for (let c: usize = 16; c < TABLE_BYTES; c += 16) least = v128.pmin<f32>(v128.load(table + c), least)
  const wanted = min(
    min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)),
    min(f32x4.extract_lane(least, 2), f32x4.extract_lane(least, 3)),
  )
  const splat = f32x4.splat(wanted)
  for (let c: u32 = 0; c < CENTROIDS; c += 4) {
    const equal = i32x4.bitmask(v128.eq<f32>(v128.load(table + (<usize>c << 2)), splat))
    if (equal != 0) return c + <u32>ctz(equal)
  }
  return 0
}

export function encodePq(
  rows: usize, count: u32, dimensions: u32, codebook: usize, subspaces: u32, out: usize, scratch: usize,
): void {
  for (let r: u32 = 0; r < count; r++) {
    for (let s: u32 = 0; s < subspaces; s++) {
      const from = subspaceStart(s, subspaces, dimensions)
      centroidTable(true, rows, codebook, from, subspaceStart(s + 1, subspaces, dimensions), scratch)
      store<u8>(out + s, <u8>smallest(scratch))
    }
    rows += <usize>dimensions << 2
    out += subspaces
  }
}

/** Fields: PQ_STEP in kernel/blocks.ts. */
@unmanaged
export class PqStep {
  rows!: usize
  dimensions!: u32
  codebook!: usize
  from!: u32
  to!: u32
  codes!: usize
  sums!: usize
  sizes!: usize
  table!: usize
  far!: usize
}

/**
 * Finds each row's nearest centroid, then moves each centroid to the mean of its rows, or to the farthest row if it has
 * none.
 */
export function pqStep(step: PqStep, count: u32): u32 {
  const rows = step.rows
  const dimensions = step.dimensions
  const codebook = step.codebook
  const from = step.from
  const to = step.to
  const codes = step.codes
  const sums = step.sums
  const sizes = step.sizes
  const table = step.table
  const far = step.far
  const width = to - from
  memory.fill(sums, 0, <usize>width * CENTROIDS * 8)
  memory.fill(sizes, 0, <usize>CENTROIDS * 4)
  let changed: u32 = 0
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + <usize>r * (<usize>dimensions << 2)
    centroidTable(true, row, codebook, from, to, table)
    const code = smallest(table)
    changed += u32(<u32>load<u8>(codes + r) != code)
    store<u8>(codes + r, <u8>code)
    store<f32>(far + (<usize>r << 2), load<f32>(table + (<usize>code << 2)))
    store<u32>(sizes + (<usize>code << 2), load<u32>(sizes + (<usize>code << 2)) + 1)
    for (let i: u32 = 0; i < width; i++) {
      const sum = sums + ((<usize>i * CENTROIDS + code) << 3)
      store<f64>(sum, load<f64>(sum) + <f64>load<f32>(row + (<usize>(from + i) << 2)))
    }
  }
  for (let c: u32 = 0; c < CENTROIDS; c++) {
    const size = load<u32>(sizes + (<usize>c << 2))
    let row: usize = 0
    if (size == 0) {
      const farthest = takeFarthest(far, count)
      row = rows + <usize>farthest * (<usize>dimensions << 2)
      changed++
    }
    for (let i: u32 = 0; i < width; i++) {
      const sum = load<f64>(sums + ((<usize>i * CENTROIDS + c) << 3))
      const value = size == 0 ? load<f32>(row + (<usize>(from + i) << 2)) : <f32>(sum / <f64>size)
      store<f32>(codebook + <usize>(from + i) * TABLE_BYTES + (<usize>c << 2), value)
    }
  }
  return changed
}

function takeFarthest(far: usize, count: u32): u32 {
  let at: u32 = 0
  for (let r: u32 = 1; r < count; r++) {
    if (load<f32>(far + (<usize>r << 2)) > load<f32>(far + (<usize>at << 2))) at = r
  }
  store<f32>(far + (<usize>at << 2), -1)
  return at
}
