import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrame, decodePrefix, encodeFrame } from '../../spill/files/frame.js'
import { CorruptSpillError } from '../../src/errors.js'
import { makeBatch } from '../fixtures/batches.js'

const place = { path: 'a.spill', offset: 64 }

function frameBytesOf(batch: Parameters<typeof encodeFrame>[0]): Buffer {
  return Buffer.concat(encodeFrame(batch).parts)
}

function decodeWhole(bytes: Buffer, expected: { frameBytes: number; count: number }): ReturnType<typeof decodeFrame> {
  const leadBytes = decodePrefix(bytes)?.leadBytes ?? bytes.byteLength
  return decodeFrame(bytes.subarray(0, leadBytes), bytes.subarray(leadBytes), expected, place)
}

describe('frame', () => {
  it('decodes header, count and bytes of any size', () => {
    const header = fc.record({
      ids: fc.array(fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'grapheme' })), { maxLength: 40 }),
      base: fc.maxSafeInteger(),
      name: fc.option(fc.string({ unit: 'grapheme' })),
    })
    fc.assert(
      fc.property(
        header,
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.uint8Array({ maxLength: 100 }),
        (head, count, raw) => {
          const frame = encodeFrame({ header: head, count, bytes: raw })
          const whole = Buffer.concat(frame.parts)
          expect(whole.byteLength).toBe(frame.frameBytes)
          expect(frame.frameBytes % 8).toBe(0)
          expect(frame.leadBytes % 8).toBe(0)
          const batch = decodeWhole(whole, frame)
          expect(batch.count).toBe(count)
          expect(Buffer.from(batch.bytes)).toEqual(Buffer.from(raw))
          // msgpack turns −0 into 0.
          expect(batch.header).toEqual({
            ...head,
            ids: head.ids.map((id) => (id === 0 ? 0 : id)),
            base: head.base || 0,
          })
        },
      ),
    )
  })

  it('views the raw bytes instead of copying them', () => {
    const batch = makeBatch(1, 64)
    expect(encodeFrame(batch).parts).toContain(batch.bytes)
  })

  it('refuses a header that is no plain data', () => {
    expect(() => frameBytesOf({ header: 1n, count: 2, bytes: new Uint8Array(0) })).toThrow()
    expect(() => frameBytesOf({ header: () => 1, count: 2, bytes: new Uint8Array(0) })).toThrow()
  })

  it('rejects every flipped bit, padding included', () => {
    const batch = makeBatch(5, 11)
    const whole = frameBytesOf(batch)
    const expected = { frameBytes: whole.byteLength, count: batch.count }
    for (let bit = 0; bit < whole.byteLength * 8; bit++) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      expect(() => decodeWhole(damaged, expected), `bit ${bit}`).toThrow(CorruptSpillError)
    }
  })

  it('rejects a whole frame that is not the expected one', () => {
    const whole = frameBytesOf(makeBatch(5, 16))
    expect(() => decodeWhole(whole, { frameBytes: whole.byteLength, count: 16 })).toThrow(
      /a\.spill at byte 64: expected/,
    )
  })

  it('rejects a truncated prefix', () => {
    const whole = frameBytesOf(makeBatch(5, 16))
    for (let bytes = 0; bytes < 24; bytes++) expect(decodePrefix(whole.subarray(0, bytes))).toBeUndefined()
    expect(decodePrefix(whole)?.payloadBytes).toBe(16)
  })
})
