/** Sets of rows as words of 32 bits. A bit beyond the last row is never set. */

export const wordsFor = (rows: number): number => Math.ceil(rows / 32)

export function allBits(rows: number): Uint32Array {
  const bits = new Uint32Array(wordsFor(rows)).fill(0xffffffff)
  if (rows % 32 !== 0) bits[bits.length - 1] = 2 ** (rows % 32) - 1
  return bits
}

/** Leaves in `bits` what both have. */
export function andBits(bits: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) bits[i] &= other[i]
}

/** Adds what `other` has. */
export function orBits(bits: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) bits[i] |= other[i]
}

/** Takes away what `other` has. */
export function removeBits(bits: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) bits[i] &= ~other[i]
}

export function countBits(bits: Uint32Array): number {
  let size = 0
  for (let i = 0; i < bits.length; i++) {
    let word = bits[i]
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    size += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return size
}
