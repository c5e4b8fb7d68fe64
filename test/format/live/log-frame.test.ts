import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../spill/files/crc32.js'
import { InvalidIdError } from '../../../src/errors.js'
import { encodeIds } from '../../../src/format/ids/encode-ids.js'
import { encodeFrame, payloadBytesOf } from '../../../src/format/live/log-frame.js'
import { deletion, upsert, withFields } from '../../fixtures/logs.js'

const PLACE = { dimensions: 3, fileCrc: 0xfeedbeef, chain: 0xabad1dea, synced: 4 }

describe('a frame', () => {
  it('has the documented layout', () => {
    const change = { ...upsert(5, ['a', -2]), sequences: Float64Array.of(5, 9) }
    const { bytes, chain } = encodeFrame(change, PLACE)
    const frame = Buffer.from(bytes)
    const ids = encodeIds(['a', -2])
    expect([0, 4, 8, 12].map((at) => frame.readUInt32LE(at))).toEqual([16 + 24 + ids.length, 2, 1, 1])
    expect([16, 24, 40, 48].map((at) => frame.readDoubleLE(at))).toEqual([5, 4, 5, 9])
    expect([0, 5].map((i) => frame.readFloatLE(56 + 4 * i))).toEqual([change.vectors[0], change.vectors[5]])
    expect([...frame.subarray(80, 80 + ids.length)]).toEqual([...ids])
    expect(frame.length % 8).toBe(0)
    expect(frame.length - 80 - ids.length).toBeLessThan(8)
    expect(frame.subarray(80 + ids.length).every((byte) => byte === 0)).toBe(true)
    expect(chain).toBe(crc32(Buffer.concat([frame.subarray(0, 32), frame.subarray(40)]), PLACE.chain))
    expect(frame.readUInt32LE(32)).toBe(chain)
    expect(frame.readUInt32LE(36)).toBe(crc32(frame.subarray(0, 36), PLACE.fileCrc))
  })

  it('has fields between the vectors and the ids', () => {
    const change = withFields(upsert(5, ['a', -2]), [3, 4])
    const frame = Buffer.from(encodeFrame(change, PLACE).bytes)
    const ids = encodeIds(['a', -2])
    expect([0, 4, 8, 12].map((at) => frame.readUInt32LE(at))).toEqual([24 + 12 + 7 + ids.length, 2, 1, 2])
    expect([64, 68, 72].map((at) => frame.readUInt32LE(at))).toEqual([0, 3, 7])
    expect([...frame.subarray(76, 83)]).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect([...frame.subarray(83, 83 + ids.length)]).toEqual([...ids])
    expect(payloadBytesOf(change)).toBe(24 + 12 + 7 + ids.length)
  })

  it('of a delete has no vectors', () => {
    const frame = Buffer.from(encodeFrame(deletion(5, [1, 2]), PLACE).bytes)
    const ids = encodeIds([1, 2])
    expect([0, 4, 8, 12].map((at) => frame.readUInt32LE(at))).toEqual([ids.length, 2, 2, 0])
    expect([...frame.subarray(40, 40 + ids.length)]).toEqual([...ids])
  })

  it('is not made of what is no change', () => {
    const sound = upsert(5, ['a', 'b'])
    const { vectors } = sound
    for (const [change, reason] of [
      [upsert(5, []), 'a change without rows'],
      [deletion(5, []), 'a change without rows'],
      [{ ...sound, vectors: vectors.subarray(1) }, '5 numbers for the upsert of 2 ids, expected 6'],
      [{ ...deletion(5, [1]), vectors }, 'expected 0'],
      [withFields(sound, [1]), '1 field rows for the upsert of 2 ids'],
      [withFields(deletion(5, [1]), [1]), '1 field rows for the delete of 1 ids'],
      [{ ...sound, firstSequence: 0 }, 'cannot have sequences from 0 on'],
      [{ ...sound, firstSequence: Number.MAX_SAFE_INTEGER }, 'cannot have sequences'],
      [{ ...sound, firstSequence: 4 }, 'sequence 4 cannot be on the device before 4'],
      [{ ...sound, sequences: Float64Array.of(5) }, '1 sequences for 2 rows'],
      [{ ...sound, sequences: Float64Array.of(6, 7) }, 'the first sequence is 6, not 5'],
      [{ ...sound, sequences: Float64Array.of(5, 5) }, 'sequence 5 follows 5'],
      [{ ...sound, sequences: Float64Array.of(5, 6.5) }, 'sequence 6.5 follows 5'],
    ] as const) {
      expect(() => encodeFrame(change, PLACE), reason).toThrow(RangeError)
      expect(() => encodeFrame(change, PLACE)).toThrow(reason)
    }
    expect(() => encodeFrame(deletion(5, [1.5]), PLACE)).toThrow(InvalidIdError)
  })

  it('holds at most 64 MiB, and says so before it takes memory', () => {
    const dimensions = 2 ** 16
    const rows = 256
    const ids = Array.from({ length: rows }, (_, i) => i)
    // Of vectors alone 64 MiB: the ids are too much.
    const change = { ...upsert(5, []), ids, vectors: new Float32Array(rows * dimensions) }
    expect(payloadBytesOf(change)).toBe(2 ** 26 + 4 * (rows + 1) + 9 * rows)
    expect(() => encodeFrame(change, { ...PLACE, dimensions })).toThrow('split the change')
  })
})
