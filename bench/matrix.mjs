/**
 * out[i][j] = a[i] · b[j] for all rows of two matrices of `depth` columns, in tiles of 4 x 2: what a tile loads and sums
 * up fits in the registers. `rowsA` is a multiple of 4 and `rowsB` of 2.
 */
export function multiplyRows(a, rowsA, b, rowsB, depth, out) {
  for (let i = 0; i < rowsA; i += 4) {
    for (let j = 0; j < rowsB; j += 2) {
      let s00 = 0
      let s01 = 0
      let s10 = 0
      let s11 = 0
      let s20 = 0
      let s21 = 0
      let s30 = 0
      let s31 = 0
      const a0 = i * depth
      const a1 = a0 + depth
      const a2 = a1 + depth
      const a3 = a2 + depth
      const b0 = j * depth
      const b1 = b0 + depth
      for (let k = 0; k < depth; k++) {
        const y0 = b[b0 + k]
        const y1 = b[b1 + k]
        const x0 = a[a0 + k]
        s00 += x0 * y0
        s01 += x0 * y1
        const x1 = a[a1 + k]
        s10 += x1 * y0
        s11 += x1 * y1
        const x2 = a[a2 + k]
        s20 += x2 * y0
        s21 += x2 * y1
        const x3 = a[a3 + k]
        s30 += x3 * y0
        s31 += x3 * y1
      }
      const at = i * rowsB + j
      out[at] = s00
      out[at + 1] = s01
      out[at + rowsB] = s10
      out[at + rowsB + 1] = s11
      out[at + 2 * rowsB] = s20
      out[at + 2 * rowsB + 1] = s21
      out[at + 3 * rowsB] = s30
      out[at + 3 * rowsB + 1] = s31
    }
  }
}
