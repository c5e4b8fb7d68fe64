// One bit per dimension: the sign after the mean is subtracted and the space is rotated at random, so that every bit
// carries as much as any other (without the rotation, the signs of a few strong dimensions would carry nearly
// everything). The number of bits in which two codes differ grows with the angle between the vectors (Charikar, STOC
// 2002).
//
// The rotation is fast (after Ailon and Chazelle, SICOMP 2009): four rounds, each a multiplication by random signs and
// a Walsh-Hadamard transform of the first P dimensions (even rounds) or the last P (odd rounds), where P is the largest
// power of two not above the number of dimensions. The codebook is the mean, f32 x dimensions, then for each round the
// signs, f32 x dimensions, times 1/sqrt(P) where the round transforms.
//
// Bit d of a code is bit d & 7 of byte d >> 3, 1 for a negative component, padded with zeros to a multiple of 16 bytes.

const ROUNDS: u32 = 4

@inline
export function binaryBytes(dimensions: u32): usize {
  return <usize>((dimensions + 127) >> 7) << 4
}

function transform(at: usize, size: u32): void {
  for (let half: u32 = 1; half < size; half <<= 1) {
    const step = <usize>half << 2
    for (let block: u32 = 0; block < size; block += half << 1) {
      const a = at + (<usize>block << 2)
      if (half >= 4) {
        for (let o: usize = 0; o < step; o += 16) {
          const x = v128.load(a + o)
          const y = v128.load(a + o + step)
          v128.store(a + o, v128.add<f32>(x, y))
          v128.store(a + o + step, v128.sub<f32>(x, y))
        }
      } else {
        for (let o: usize = 0; o < step; o += 4) {
          const x = load<f32>(a + o)
          const y = load<f32>(a + o + step)
          store<f32>(a + o, x + y)
          store<f32>(a + o + step, x - y)
        }
      }
    }
  }
}

/** The code of one row. scratch: f32 x dimensions. */
export function binaryCode(row: usize, dimensions: u32, codebook: usize, out: usize, scratch: usize): void {
  const rowBytes = <usize>dimensions << 2
  for (let o: usize = 0; o < rowBytes; o += 4) store<f32>(scratch + o, load<f32>(row + o) - load<f32>(codebook + o))
  const size: u32 = 1 << (31 - clz(dimensions))
  for (let round: u32 = 0; round < ROUNDS; round++) {
    const signs = codebook + <usize>(1 + round) * rowBytes
    for (let o: usize = 0; o < rowBytes; o += 4) store<f32>(scratch + o, load<f32>(scratch + o) * load<f32>(signs + o))
    transform(scratch + (round & 1 ? (<usize>(dimensions - size) << 2) : 0), size)
  }
  memory.fill(out, 0, binaryBytes(dimensions))
  for (let d: u32 = 0; d < dimensions; d++) {
    const negative = load<u32>(scratch + (<usize>d << 2)) >> 31
    store<u8>(out + (d >> 3), load<u8>(out + (d >> 3)) | <u8>(negative << (d & 7)))
  }
}

export function encodeBinary(
  rows: usize, count: u32, dimensions: u32, codebook: usize, out: usize, scratch: usize,
): void {
  for (let r: u32 = 0; r < count; r++) {
    binaryCode(rows, dimensions, codebook, out, scratch)
    rows += <usize>dimensions << 2
    out += binaryBytes(dimensions)
  }
}
