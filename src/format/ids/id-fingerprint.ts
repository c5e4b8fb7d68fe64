/**
 * A 96-bit hash of an id: among 50M ids, two different ones have equal fingerprints with a probability of 2e-14.
 *
 * Not cryptographic. Uses words, rotations and multiplications only, so that ASCII strings cost no allocation. The
 * first 64 bits order the id table and the top bits choose a partition, so every lane must be well mixed.
 */
import type { Id } from '../../api/vectors.js'
import { assertId } from './encode-ids.js'
import { lowbias32 } from './lowbias32.js'

/** u32 lanes of one fingerprint. */
export const FINGERPRINT_LANES = 3

/**
 * Writes the fingerprint of `id` to `out[at .. at + 2]`. An integer and a string never agree: the lowest bit of the
 * third lane is the type. Two integers never agree: the first two lanes are a permutation of an integer's 64 bits.
 * @throws InvalidIdError for anything but a safe integer or a well-formed string
 */
export function idFingerprint(id: Id, out: Uint32Array, at: number): void {
  if (typeof id === 'string') stringFingerprint(id, out, at)
  else if (Number.isSafeInteger(id)) integerFingerprint(id, out, at)
  else assertId(id)
}

function integerFingerprint(id: number, out: Uint32Array, at: number): void {
  // A Feistel network over the two halves of the two's complement form: each step is invertible, so none collide.
  let low = id >>> 0
  let high = Math.floor(id / 2 ** 32) | 0
  high ^= lowbias32(low + 0x9e3779b9)
  low ^= lowbias32(high + 0x7f4a7c15)
  high ^= lowbias32(low + 0x85ebca6b)
  low ^= lowbias32(high + 0xc2b2ae35)
  out[at] = high
  out[at + 1] = low
  out[at + 2] = lowbias32(lowbias32(high + 0x27d4eb2f) + low) & ~1
}

function stringFingerprint(id: string, out: Uint32Array, at: number): void {
  const { length } = id
  let a = 0x9e3779b9 ^ length
  let b = 0x85ebca6b
  let c = 0xc2b2ae35
  let seen = 0
  for (let i = 0; i < length; i += 2) {
    const first = id.charCodeAt(i)
    // 0 past the end of an odd length; the length in `a` tells it from a real NUL.
    const second = i + 1 < length ? id.charCodeAt(i + 1) : 0
    seen |= first | second
    a = Math.imul(a ^ (first | (second << 16)), 0x2c1b3c6d)
    a ^= a >>> 15
    b = Math.imul((b << 13) | (b >>> 19), 0x297a2d39) + a
    b ^= b >>> 16
    c = Math.imul(((c << 17) | (c >>> 15)) ^ b, 0x3c6ef363)
    a = (a + c) | 0
  }
  // Only surrogates have these bits, so other strings cannot have a lone one.
  if ((seen & 0xd800) === 0xd800) assertId(id)
  b ^= lowbias32(a + 0x27d4eb2f)
  c ^= lowbias32(b + 0x165667b1)
  a ^= lowbias32(c + 0x9e3779b9)
  b ^= lowbias32(a + 0x7f4a7c15)
  c ^= lowbias32(b + 0x85ebca6b)
  a ^= lowbias32(c + 0xc2b2ae35)
  out[at] = a
  out[at + 1] = b
  out[at + 2] = c | 1
}
