// Fills the half of a leaf's distance matrix that the tile did not compute. Rows come in chunks, and a chunk is
// computed from its own first column on:
//
//     | c c c c |       c  computed by the tile: distances are symmetric, to the bit
//     | m c c c |       m  mirrored here: word (r, t) from word (t, r)
//     | m m c c |

/** The last rows of a group of four may be missing. */
export function pipnnMirror(matrix: usize, stride: u32, firstRow: u32, rowCount: u32): void {
  const rowBytes = (<usize>stride) << 2
  for (let r = firstRow; r < firstRow + rowCount; r += 4) {
    const rows = min<u32>(4, firstRow + rowCount - r)
    let to = matrix + <usize>r * rowBytes
    let from = matrix + ((<usize>r) << 2)
    for (let t: u32 = 0; t < firstRow; t += 4) {
      const a = v128.load(from)
      const b = v128.load(from + rowBytes)
      const c = v128.load(from + 2 * rowBytes)
      const d = v128.load(from + 3 * rowBytes)
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
      const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
      const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
      v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2))
      if (rows > 1) v128.store(to + rowBytes, v128.shuffle<i64>(ab0, cd0, 1, 3))
      if (rows > 2) v128.store(to + 2 * rowBytes, v128.shuffle<i64>(ab1, cd1, 0, 2))
      if (rows > 3) v128.store(to + 3 * rowBytes, v128.shuffle<i64>(ab1, cd1, 1, 3))
      to += 16
      from += 4 * rowBytes
    }
  }
}
