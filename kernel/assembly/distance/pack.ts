// Packs grid rows into panels of 16, which distances.ts reads as targets. 64 bytes are one word of 16 rows; a word is two
// neighbouring dimensions in i16 and one in f32.
//
//     rows     p0: a0 a1 a2 ..          panel    | a0 b0 c0 d0 .. p0 | a1 b1 c1 d1 .. p1 | a2 b2 c2 d2 .. p2 | ..
//     (words)  p1: b0 b1 b2 ..                     64 bytes
//              ..
//              p15: p0 p1 p2 ..         i16: a0 is the dimensions 0 and 1 of p0; f32: a0 is its dimension 0
//
// The last panel is padded with zeros: `out` holds ceil(count / 16) * 16 rows.

/** Four rows: 16 bytes of every 64 of their panel. */
@inline
function packFour(rows: usize, rowBytes: usize, out: usize): void {
  const r1 = rows + rowBytes
  const r2 = r1 + rowBytes
  const r3 = r2 + rowBytes
  for (let at: usize = 0; at != rowBytes; at += 16) {
    const a = v128.load(rows + at)
    const b = v128.load(r1 + at)
    const c = v128.load(r2 + at)
    const d = v128.load(r3 + at)
    const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(out, v128.shuffle<i64>(ab0, cd0, 0, 2))
    v128.store(out, v128.shuffle<i64>(ab0, cd0, 1, 3), 64)
    v128.store(out, v128.shuffle<i64>(ab1, cd1, 0, 2), 128)
    v128.store(out, v128.shuffle<i64>(ab1, cd1, 1, 3), 192)
    out += 256
  }
}

/** As packFour, of up to 3 rows, or of none. */
@inline
function packFewer(rows: usize, count: u32, rowBytes: usize, out: usize): void {
  for (let at: usize = 0; at != rowBytes; at += 4) {
    v128.store(out, i32x4.splat(0))
    let word = rows + at
    for (let p: u32 = 0; p < count; p++) {
      store<u32>(out + ((<usize>p) << 2), load<u32>(word))
      word += rowBytes
    }
    out += 64
  }
}

@inline
function pack(rows: usize, count: u32, rowBytes: usize, out: usize): void {
  const panels = (count >> 4) + u32((count & 15) !== 0)
  let left = count
  for (let panel: u32 = 0; panel < panels; panel++) {
    for (let group: usize = 0; group < 64; group += 16) {
      if (left >= 4) {
        packFour(rows, rowBytes, out + group)
        rows += rowBytes << 2
        left -= 4
      } else {
        packFewer(rows, left, rowBytes, out + group)
        left = 0
      }
    }
    out += rowBytes << 4
  }
}

export function packI16(rows: usize, count: u32, gridDims: u32, out: usize): void {
  pack(rows, count, (<usize>gridDims) << 1, out)
}

export function packF32(rows: usize, count: u32, gridDims: u32, out: usize): void {
  pack(rows, count, (<usize>gridDims) << 2, out)
}
