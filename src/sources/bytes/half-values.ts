/** IEEE 754 half precision (float16) as float32; Node.js 20 has no typed array for it. */

let table: Float32Array | undefined

/** The value of each of the 65,536 bit patterns: 256 KiB, made when first needed. */
export function halfValues(): Float32Array {
  if (table === undefined) {
    table = new Float32Array(65_536)
    for (let bits = 0; bits < 65_536; bits++) table[bits] = halfValue(bits)
  }
  return table
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}
