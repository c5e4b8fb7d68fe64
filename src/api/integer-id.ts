/** Integers of any size as ids: snowflakes and other keys of 64 bits are beyond the integers that a number holds. */
import type { GivenId, Id } from './vectors.js'

/** Digits of an integer, as `integerId` writes them; 64 bits have 20 of them, 128 bits 39. */
const MOST_DIGITS = 39
const DIGITS = /^-?[1-9]\d{15,}$/

/** A number where it is exact, up to 2^53 − 1, above that the digits as text. */
export function integerId(value: bigint): Id {
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value.toString()
}

/** The id as it is stored. */
export function storedId(given: GivenId): Id {
  return typeof given === 'bigint' ? integerId(given) : given
}

/** The opposite of `integerId`: every number, and text that is the digits of a larger integer, as a bigint. */
export function bigintId(id: Id): string | bigint {
  if (typeof id === 'number') return BigInt(id)
  if (id.length > MOST_DIGITS + 1 || !DIGITS.test(id)) return id
  const value = BigInt(id)
  return typeof integerId(value) === 'string' ? value : id
}
