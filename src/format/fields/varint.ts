/** Unsigned numbers below 2^35 in one to five bytes: seven bits each, low ones first, the top bit says that more follow. */

export const MAX_VARINT_BYTES = 5

/** Writes `value` at `at`, and returns where it ends. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest > 0x7f) {
    into[at++] = (rest & 0x7f) | 0x80
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 128)
  }
  into[at++] = rest
  return at
}
