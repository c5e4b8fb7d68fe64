import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../spill/files/crc32.js'
import { CorruptIndexError } from '../../../src/errors.js'
import { decodeLogHeader, encodeLogHeader, logFileName, type LogFacts } from '../../../src/format/live/log-header.js'
import { LOG_FACTS } from '../../fixtures/logs.js'

const u32 = fc.nat(2 ** 32 - 1)
const facts: fc.Arbitrary<LogFacts> = fc.record({
  dimensions: u32,
  metric: fc.constantFrom('l2', 'cosine', 'ip'),
  number: u32,
  firstSequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  chain: u32,
})

describe('the header of a log', () => {
  it('decodes to what was encoded', () => {
    fc.assert(fc.property(facts, (one) => void expect(decodeLogHeader(encodeLogHeader(one), 'x.log')).toEqual(one)))
  })

  it('has the documented layout', () => {
    const bytes = Buffer.from(encodeLogHeader({ ...LOG_FACTS, metric: 'ip', firstSequence: 2 ** 40 + 1 }))
    expect(bytes.length).toBe(64)
    expect(bytes.toString('latin1', 0, 8)).toBe('SHRD-LOG')
    expect([8, 12, 16, 20, 32].map((at) => bytes.readUInt32LE(at))).toEqual([1, 3, 3, 7, 0x1234abcd])
    expect(bytes.readDoubleLE(24)).toBe(2 ** 40 + 1)
    expect(bytes.readUInt32LE(60)).toBe(crc32(bytes.subarray(0, 60)))
  })

  it('is refused with unknown values under a right CRC', () => {
    const changed = (change: (bytes: Buffer) => void): Uint8Array => {
      const bytes = Buffer.from(encodeLogHeader(LOG_FACTS))
      change(bytes)
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
      return bytes
    }
    for (const [change, reason] of [
      [(bytes: Buffer) => bytes.fill(0, 0, 1), 'wrong magic'],
      [(bytes: Buffer) => bytes.writeUInt32LE(2, 8), 'log version 2; this shardloom reads version 1'],
      [(bytes: Buffer) => bytes.writeUInt32LE(0, 16), 'unknown metric 0'],
      [(bytes: Buffer) => bytes.writeUInt32LE(4, 16), 'unknown metric 4'],
      [(bytes: Buffer) => bytes.writeDoubleLE(1.5, 24), 'the first sequence is 1.5'],
      [(bytes: Buffer) => bytes.fill(1, 40, 41), 'a reserved byte'],
    ] as const) {
      expect(() => decodeLogHeader(changed(change), 'x.log'), reason).toThrow(CorruptIndexError)
      expect(() => decodeLogHeader(changed(change), 'x.log')).toThrow(reason)
    }
  })

  it('holds no number that does not fit', () => {
    for (const wrong of [{ number: 2 ** 32 }, { chain: -1 }, { dimensions: 1.5 }, { firstSequence: 0 }]) {
      expect(() => encodeLogHeader({ ...LOG_FACTS, ...wrong })).toThrow(RangeError)
    }
  })
})

it('a log is named after its number', () => {
  expect([7, 1_234_567].map(logFileName)).toEqual(['log-000007.log', 'log-1234567.log'])
})
