import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidIdError } from '../../src/errors.js'
import { idFingerprint } from '../../src/format/ids/id-fingerprint.js'
import type { Id } from '../../src/api/vectors.js'
import { some } from '../whole.js'

const print = (id: Id): Uint32Array => {
  const out = new Uint32Array(3)
  idFingerprint(id, out, 0)
  return out
}

const MANY = 200_000
const families: readonly (readonly [string, (i: number) => Id])[] = [
  ['sequential integers', (i) => i],
  ['negative integers', (i) => -i],
  ['multiples of 2^32', (i) => i * 2 ** 32],
  ['multiples of 1024', (i) => i * 1024],
  ['doc-1, doc-2, …', (i) => `doc-${i + 1}`],
  ['padded numbers', (i) => String(i).padStart(12, '0')],
  ['numbers as text', (i) => String(i)],
  ['runs of one letter', (i) => 'a'.repeat(1 + (i % 400)) + String(Math.floor(i / 400))],
  ['UUID-like', (i) => `123e4567-e89b-12d3-a456-${i.toString(16).padStart(12, '0')}`],
  ['URLs', (i) => `https://example.org/articles/${i % 1000}/part/${Math.floor(i / 1000)}?lang=en`],
  ['Cyrillic', (i) => `док-${i}`],
]

describe('idFingerprint', () => {
  it.each(some(families, 4))('tells %s apart and spreads them evenly', (_, idOf) => {
    const all = new Set<string>()
    const lanes = [0, 1, 2].map(() => new Uint32Array(64))
    for (let i = 0; i < MANY; i++) {
      const [a, b, c] = print(idOf(i))
      all.add(`${a} ${b} ${c}`)
      // The top 6 bits choose a partition, the low bits a slot. The lowest bit of the third lane is the type.
      lanes[0][a >>> 26]++
      lanes[1][b & 63]++
      lanes[2][c >>> 26]++
    }
    expect(all.size).toBe(MANY)
    // 200k into 64: 3125 each, a standard deviation of 56. Six of them are 11%.
    for (const counts of lanes) {
      expect(Math.min(...counts)).toBeGreaterThan(3125 * 0.89)
      expect(Math.max(...counts)).toBeLessThan(3125 * 1.11)
    }
  })

  it('flips each output bit half of the time when one input bit flips', () => {
    const samples = 2000
    const flipInteger = (id: number, bit: number): number => Number(BigInt.asIntN(53, BigInt(id) ^ (1n << BigInt(bit))))
    const flipText = (id: string, bit: number): string => {
      const at = Math.floor(bit / 7) % id.length
      return id.slice(0, at) + String.fromCharCode(id.charCodeAt(at) ^ (1 << (bit % 7))) + id.slice(at + 1)
    }
    const cases: readonly (readonly [number, (i: number, bit: number) => readonly [Id, Id]])[] = [
      [52, (i, bit) => [i * 7919, flipInteger(i * 7919, bit)]],
      [70, (i, bit) => [`doc-${100_000 + i}`, flipText(`doc-${100_000 + i}`, bit)]],
      [13 * 7, (i, bit) => [`an-odd-${1e5 + i}`, flipText(`an-odd-${1e5 + i}`, bit)]],
    ]
    for (const [bits, pairOf] of cases) {
      for (let bit = 0; bit < bits; bit++) {
        const flips = new Uint32Array(96)
        for (let i = 0; i < samples; i++) {
          const [one, other] = pairOf(i, bit)
          const [a, b] = [print(one), print(other)]
          for (let lane = 0; lane < 3; lane++) {
            const change = a[lane] ^ b[lane]
            for (let k = 0; k < 32; k++) flips[32 * lane + k] += (change >>> k) & 1
          }
        }
        // Bit 64 is the type and never flips. 2000 throws: six standard deviations are 0.067.
        expect(flips[64]).toBe(0)
        const uneven = [...flips.keys()].filter((k) => k !== 64 && Math.abs(flips[k] / samples - 0.5) >= 0.07)
        expect(uneven, `output bits for input bit ${bit}`).toEqual([])
      }
    }
  })

  it('never gives an integer and a string the same fingerprint', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), (integer, text) => {
        expect(print(integer)[2] & 1).toBe(0)
        expect(print(text)[2] & 1).toBe(1)
      }),
    )
  })

  it('tells strings that differ in length only by NUL characters', () => {
    const texts = ['', '\0', '\0\0', '\0\0\0', 'a', 'a\0', 'a\0\0']
    expect(new Set(texts.map((text) => print(text).join())).size).toBe(texts.length)
  })

  it('depends only on the id, not on its place or how a string was made', () => {
    const out = new Uint32Array(9)
    idFingerprint('abc', out, 4)
    expect([...out.subarray(4, 7)]).toEqual([...print(['a', 'b', 'c'].join(''))])
    expect([...out.subarray(0, 4), ...out.subarray(7)]).toEqual([0, 0, 0, 0, 0, 0])
    expect(print(-0)).toEqual(print(0))
  })

  it('never changes, because id tables on disk depend on it', () => {
    expect([print(0), print(-1), print('doc-1'), print('é')].map((lanes) => [...lanes])).toMatchInlineSnapshot(`
      [
        [
          2046655646,
          3057016681,
          540279300,
        ],
        [
          88889631,
          1138029848,
          646792440,
        ],
        [
          1633708121,
          531044964,
          4060199971,
        ],
        [
          3892258009,
          2579045827,
          669295393,
        ],
      ]
    `)
  })

  it('refuses values that are not ids', () => {
    for (const id of [1.5, NaN, Infinity, 2 ** 53, '\ud800', 'a\udc00b', '\udc00\ud800']) {
      expect(() => print(id), String(id)).toThrow(InvalidIdError)
    }
    print('😀')
  })
})
