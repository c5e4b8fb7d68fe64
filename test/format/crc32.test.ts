import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32Combine, crc32Combiner } from '../../src/format/bytes/crc32-combine.js'
import { crc32 } from '../../spill/files/crc32.js'

const bytes = fc.uint8Array({ maxLength: 2000 })

describe('crc32', () => {
  it('gives the published check value', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  })

  it('continues from a previous value', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(crc32(b, crc32(a))).toBe(crc32(Buffer.concat([a, b])))
      }),
    )
  })

  it('reads shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(9))
    shared.set(new TextEncoder().encode('123456789'))
    expect(crc32(shared)).toBe(0xcbf43926)
  })
})

describe('crc32Combine', () => {
  it('is the CRC of the concatenation', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(crc32Combine(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])))
      }),
    )
  })

  it('is associative for lengths beyond 4 GiB', () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    const length = fc.integer({ min: 1, max: 2 ** 45 })
    fc.assert(
      fc.property(word, word, word, length, length, (a, b, c, lengthB, lengthC) => {
        const left = crc32Combine(crc32Combine(a, b, lengthB), c, lengthC)
        expect(crc32Combine(a, crc32Combine(b, c, lengthC), lengthB + lengthC)).toBe(left)
      }),
    )
  })
})

describe('crc32Combiner', () => {
  it('gives the same as crc32Combine', () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 2 ** 45 }), (a, b, lengthB) => {
        expect(crc32Combiner(lengthB)(a, b)).toBe(crc32Combine(a, b, lengthB))
      }),
    )
  })
})
