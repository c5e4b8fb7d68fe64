function packWords(rows: usize, count: u32, words: u32, out: usize): void {
  const panels = (count + 3) >> 2
  for (let p: u32 = 0; p < panels; p++) {
    for (let w: u32 = 0; w < words; w++) {
      for (let j: u32 = 0; j < 4; j++) {
        const r = (p << 2) + j
        store<u32>(out, r < count ? load<u32>(rows + ((<usize>r * words + w) << 2)) : 0)
        out += 4
      }
    }
  }
}

export function packI16(rows: usize, count: u32, codeDims: u32, out: usize): void {
  packWords(rows, count, codeDims >> 1, out)
}

export function packF32(rows: usize, count: u32, codeDims: u32, out: usize): void {
  packWords(rows, count, codeDims, out)
}
