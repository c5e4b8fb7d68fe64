import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError, InvalidIdError } from '../../src/errors.js'
import { assertId, decodeId, encodedIdBytes, encodeIds, idsView } from '../../src/format/ids/encode-ids.js'
import type { Id } from '../../src/api/vectors.js'

const id: fc.Arbitrary<Id> = fc.oneof(
  fc.maxSafeInteger(),
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
)

describe('encodeIds', () => {
  it('decodes every id, from any place in memory', () => {
    fc.assert(
      fc.property(fc.array(id), fc.nat(7), (ids, shift) => {
        const encoded = encodeIds(ids)
        const moved = new Uint8Array(new SharedArrayBuffer(encoded.length + shift)).subarray(shift)
        moved.set(encoded)
        const view = idsView(moved, ids.length, 'ids-000.seg')
        expect(ids.map((_, at) => decodeId(view, at))).toEqual(ids.map((one) => (one === 0 ? 0 : one)))
        const bytes = ids.reduce<number>((sum, one) => sum + encodedIdBytes(one), 4 * (ids.length + 1))
        expect(encoded.length).toBe(bytes)
      }),
    )
  })

  it('keeps the smallest and largest safe integers', () => {
    const ids = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 32, -(2 ** 32), 2 ** 31, -1]
    const view = idsView(encodeIds(ids), ids.length, 'ids-000.seg')
    expect(ids.map((_, at) => decodeId(view, at))).toEqual(ids)
  })

  it('has the documented layout', () => {
    expect([...encodeIds([-2, 'é'])]).toEqual([
      ...[0, 0, 0, 0, 9, 0, 0, 0, 12, 0, 0, 0],
      ...[0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      ...[1, 0xc3, 0xa9],
    ])
  })

  it('refuses values that are not ids', () => {
    for (const wrong of [1.5, NaN, 2 ** 53, '\ud83d', 'x\ude00', undefined, null, 5n, {}, true]) {
      expect(() => assertId(wrong)).toThrow(InvalidIdError)
    }
    expect(() => encodeIds(['a', '\ud83d'])).toThrow('half of a surrogate pair')
  })
})

describe('decodeId', () => {
  it('refuses bytes that are not ids', () => {
    const sound = encodeIds([1, 'two'])
    const changed = (at: number, value: number): Uint8Array => {
      const bytes = Uint8Array.from(sound)
      bytes[at] = value
      return bytes
    }
    const decodeAll = (bytes: Uint8Array): unknown => {
      const view = idsView(bytes, 2, 'ids-000.seg')
      return [decodeId(view, 0), decodeId(view, 1)]
    }
    expect(decodeAll(sound)).toEqual([1, 'two'])
    const broken = [changed(0, 1), changed(4, 0), changed(4, 200), changed(8, 5), changed(12, 2), changed(20, 0x7f)]
    for (const bytes of [...broken, sound.subarray(0, 11), sound.subarray(0, 20)]) {
      expect(() => decodeAll(bytes)).toThrow(CorruptIndexError)
    }
  })
})
