/** Damage by a disk, a cable or an attacker, and the two promises that every reader keeps in spite of it. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { ShardloomError } from '../../src/errors.js'

export type Damage = (bytes: Buffer) => Buffer

/**
 * A place in a file as a share of its length, so that one draw fits files of any length. Drawn from integers without
 * bias: most doubles below 1 are next to 0, and so would be most of the damage.
 */
const place = fc.noBias(fc.nat(999_999)).map((millionths) => millionths / 1e6)
const at = (bytes: Buffer, share: number): number => Math.floor(share * bytes.length)

/** Sizes that mislead readers: around 0, signs, and the limits of 16, 31 and 32 bits. */
export const HOSTILE_WORDS: readonly number[] = [
  0, 1, 2, 0x7f, 0xff, 0xffff, 0x10000, 0x10001, 2 ** 24, 2 ** 28, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 8,
  2 ** 32 - 2, 2 ** 32 - 1,
] // prettier-ignore

const cut = place.map(
  (share): Damage =>
    (bytes) =>
      Buffer.from(bytes.subarray(0, at(bytes, share))),
)

const flip = fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 4 }).map((flips): Damage => (bytes) => {
  const damaged = Buffer.from(bytes)
  for (const [share, bit] of flips) if (damaged.length > 0) damaged[at(damaged, share)] ^= 1 << bit
  return damaged
})

const word = fc
  .tuple(place, fc.oneof(fc.constantFrom(...HOSTILE_WORDS), fc.nat(0xffffffff)), fc.boolean())
  .map(([share, value, aligned]): Damage => (bytes) => {
    const damaged = Buffer.from(bytes)
    if (damaged.length < 4) return damaged
    const anywhere = Math.floor(share * (damaged.length - 3))
    damaged.writeUInt32LE(value, aligned ? anywhere & ~3 : anywhere)
    return damaged
  })

const insert = fc
  .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 }))
  .map(([share, more]): Damage => (bytes) => {
    const where = at(bytes, share)
    return Buffer.concat([bytes.subarray(0, where), more, bytes.subarray(where)])
  })

const drop = fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(([share, count]): Damage => (bytes) => {
  const where = at(bytes, share)
  return Buffer.concat([bytes.subarray(0, where), bytes.subarray(where + count)])
})

const repeat = fc.tuple(place, fc.integer({ min: 1, max: 200 })).map(([share, count]): Damage => (bytes) => {
  const where = at(bytes, share)
  return Buffer.concat([bytes, bytes.subarray(where, where + count)])
})

/** One to three of: truncated, bits flipped, a word overwritten, bytes inserted, removed or repeated at the end. */
export const damage: fc.Arbitrary<Damage> = fc
  .array(fc.oneof(cut, flip, word, insert, drop, repeat), { minLength: 1, maxLength: 3 })
  .map(
    (several): Damage =>
      (bytes) =>
        several.reduce((damaged, one) => one(damaged), bytes),
  )

/** Much longer than any case takes: a hang fails as the case that hung, not as a whole file that timed out. */
const HANG_MS = 20_000

/** The value or the ShardloomError of `attempt`; any other error and a timeout fail the test. */
export async function outcome<Value>(attempt: Promise<Value>): Promise<Value | ShardloomError> {
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${HANG_MS} ms`)), HANG_MS)
  })
  try {
    return await Promise.race([attempt, hang])
  } catch (error) {
    if (error instanceof ShardloomError) return error
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** The ShardloomError of `attempt`; its message names `path`. */
export async function refusal(attempt: Promise<unknown>, path: string): Promise<ShardloomError> {
  const error = await outcome(attempt)
  expect(error).toBeInstanceOf(ShardloomError)
  expect((error as ShardloomError).message).toContain(path)
  return error as ShardloomError
}
