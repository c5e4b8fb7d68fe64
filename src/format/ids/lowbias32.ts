/**
 * One step of a hash: a permutation of the 32-bit numbers in which every output bit depends on every input bit. Shifts
 * and factors are the published result of a search for the least bias (hash-prospector, lowbias32, bias 0.11).
 */
export function lowbias32(word: number): number {
  let x = word
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}
