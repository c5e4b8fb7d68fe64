/**
 * Random numbers as a function of (seed, ordinal), not as a stream: the same vector draws the same number whatever
 * was read before it, so builds repeat and resume exactly.
 */

/** Separate draws for separate purposes, so that levels say nothing about who is sampled. */
export const SALT_LEVEL = 0x6c657665
export const SALT_SAMPLE = 0x73616d70
export const SALT_PROOF = 0x70726f6f
export const SALT_SPLIT = 0x73706c69
export const SALT_CODEBOOK = 0x636f6465
export const SALT_CENTROID = 0x63656e74
export const SALT_TURN = 0x7475726e

/** 32 well mixed bits of (seed, salt, ordinal). Finalizer of MurmurHash3 (Appleby), applied twice. */
export function hashOrdinal(seed: number, salt: number, ordinal: number): number {
  let h = (seed ^ salt) | 0
  h = mix(h ^ (ordinal | 0))
  h = mix((h + Math.floor(ordinal / 2 ** 32) + 0x9e3779b9) | 0)
  return h >>> 0
}

function mix(value: number): number {
  let h = value
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return h
}

/** Highest level there can be: 4^-15 is below the resolution of the 32-bit draw. */
const MAX_LEVEL = 15

/**
 * Level of a node: floor(−ln(u) / ln M) with u = hash / 2^32 (Malkov and Yashunin 2016, section 4.1), counted by
 * comparing u with M^-l so that no logarithm's last bit can differ between machines.
 */
export function levelOf(seed: number, ordinal: number, m: number): number {
  const u = (hashOrdinal(seed, SALT_LEVEL, ordinal) + 0.5) / 2 ** 32
  let level = 0
  let threshold = 1 / m
  while (level < MAX_LEVEL && u < threshold) {
    level++
    threshold /= m
  }
  return level
}
