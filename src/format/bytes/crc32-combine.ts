/**
 * The CRC-32 (polynomial of zlib, gzip and PNG) of a concatenation from the CRCs of its parts.
 *
 * Threads write different parts of one file, and each computes the CRC of its part. A CRC is the remainder of a
 * polynomial over GF(2), so appending B to A multiplies A's remainder by x^(8·lengthB) and adds B's.
 */

/** The generator polynomial without its x^32, lowest power in the highest bit, as in CRC-32 registers. */
const POLYNOMIAL = 0xedb88320
/** The polynomial 1, in the same bit order. */
const ONE = 0x80000000

/** a·b modulo the generator polynomial. */
function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL
  }
  return product >>> 0
}

/** POWERS[i] = x^(2^i). The generator is primitive, so x^(2^32) = x and 32 entries serve every exponent. */
const POWERS = ((): Uint32Array => {
  const powers = new Uint32Array(32)
  powers[0] = ONE >>> 1
  for (let i = 1; i < 32; i++) powers[i] = multiply(powers[i - 1], powers[i - 1])
  return powers
})()

/** x^(8·bytes). */
function powerOfBytes(bytes: number): number {
  let power = ONE
  let rest = bytes
  for (let i = 3; rest > 0; i++) {
    if (rest % 2 === 1) power = multiply(POWERS[i % 32], power)
    rest = Math.floor(rest / 2)
  }
  return power
}

/** The CRC-32 of A followed by B. `lengthB` in bytes, any safe integer. */
export function crc32Combine(crcA: number, crcB: number, lengthB: number): number {
  if (lengthB === 0) return crcA >>> 0
  return (multiply(powerOfBytes(lengthB), crcA) ^ crcB) >>> 0
}

/**
 * `crc32Combine` for many B of one length above 0: multiplying by x^(8·lengthB) is linear over GF(2), so tables that
 * are made once replace it by a lookup for each byte of `crcA`.
 */
export function crc32Combiner(lengthB: number): (crcA: number, crcB: number) => number {
  const power = powerOfBytes(lengthB)
  const [t0, t1, t2, t3] = [0, 8, 16, 24].map((shift) => {
    const table = new Uint32Array(256)
    for (let bit = 1; bit < 256; bit *= 2) {
      const product = multiply(power, (bit << shift) >>> 0)
      for (let below = 0; below < bit; below++) table[bit + below] = table[below] ^ product
    }
    return table
  })
  return (crcA, crcB) =>
    (t0[crcA & 255] ^ t1[(crcA >>> 8) & 255] ^ t2[(crcA >>> 16) & 255] ^ t3[crcA >>> 24] ^ crcB) >>> 0
}
