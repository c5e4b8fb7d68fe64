import type { Piece } from './scan-loops.js'

/** Visits the places of the values of a piece whose rows are in `bits`; of all without `bits`, padding included. */
export function eachKept(
  { from, words, firstWord }: Piece,
  bits: Uint32Array | undefined,
  visit: (at: number) => void,
): void {
  for (let word = 0; word < words; word++) {
    const first = from + 32 * word
    for (let left = bits === undefined ? -1 : bits[firstWord + word]; left !== 0; left &= left - 1) {
      visit(first + 31 - Math.clz32(left & -left))
    }
  }
}
