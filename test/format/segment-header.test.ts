import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { crc32 } from '../../spill/files/crc32.js'
import {
  kindOfSegmentName,
  SEGMENT_KINDS,
  segmentFileName,
  type SegmentKind,
} from '../../src/format/segment/segment-file.js'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  linksHeader,
  segmentFileBytes,
  vectorsHeader,
  type SegmentHeader,
} from '../../src/format/segment/segment-header.js'

const header: fc.Arbitrary<SegmentHeader> = fc
  .record({
    kind: fc.constantFrom(...(Object.keys(SEGMENT_KINDS) as SegmentKind[])),
    firstNode: fc.nat(2 ** 31 - 1),
    count: fc.nat(2 ** 20),
    strideBytes: fc.nat(2 ** 20),
    dimensions: fc.nat(2 ** 31 - 1),
    dataBytes: fc.maxSafeNat(),
  })
  .map((one) => ({ ...one, dataBytes: one.strideBytes === 0 ? one.dataBytes : one.strideBytes * one.count }))

describe('segment header', () => {
  it('decodes an encoded header, also beyond 4 GiB', () => {
    fc.assert(
      fc.property(header, (one) => {
        expect(decodeSegmentHeader(encodeSegmentHeader(one), 'x.seg')).toEqual(one)
      }),
    )
  })

  it('has the documented layout', () => {
    const page = encodeSegmentHeader(linksHeader({ firstNode: 5, count: 2 ** 30, dimensions: 7, m: 16 }))
    const view = new DataView(page.buffer)
    expect(page.length).toBe(4096)
    expect(Buffer.from(page.subarray(0, 8)).toString()).toBe('SHRDLOOM')
    expect([8, 12, 32, 36, 48].map((at) => view.getUint32(at, true))).toEqual([1, 2, 132, 7, 16_384])
    expect([16, 24, 40].map((at) => view.getBigUint64(at, true))).toEqual([5n, 2n ** 30n, 132n * 2n ** 30n])
    expect(view.getUint32(4092, true)).toBe(crc32(page.subarray(0, 4092)))
  })

  it('refuses unknown values under a correct CRC', () => {
    const changed = (offset: number, value: number): Uint8Array => {
      const page = encodeSegmentHeader(vectorsHeader({ firstNode: 0, count: 3, dimensions: 4 }))
      const view = new DataView(page.buffer)
      view.setUint32(offset, value, true)
      view.setUint32(4092, crc32(page.subarray(0, 4092)), true)
      return page
    }
    for (const [offset, value, reason] of [
      [0, 0, 'wrong magic'],
      [8, 2, 'segment version 2; this shardloom reads version 1'],
      [12, 0, 'unknown segment kind 0'],
      [12, 13, 'unknown segment kind 13'],
      [20, 2 ** 31, 'beyond 2^53'],
      [24, 4, '4 records of 16 bytes do not make 48'],
      [48, 4096, 'checksum blocks of 4096'],
      [60, 1, 'a reserved byte'],
    ] as const) {
      expect(() => decodeSegmentHeader(changed(offset, value), 'x.seg'), reason).toThrow(CorruptIndexError)
      expect(() => decodeSegmentHeader(changed(offset, value), 'x.seg')).toThrow(reason)
    }
    expect(() => decodeSegmentHeader(new Uint8Array(100), 'x.seg')).toThrow('100 bytes, expected 4096')
  })

  it('computes the size of the sealed file', () => {
    expect(segmentFileBytes(0)).toBe(4096 + 4)
    expect(segmentFileBytes(16_384)).toBe(4096 + 16_384 + 8)
    expect(segmentFileBytes(16_385)).toBe(4096 + 16_385 + 12)
  })
})

describe('segment names', () => {
  it('tell their kind, and other names are refused', () => {
    const numbered = [
      'vectors',
      'links',
      'ids',
      'codes',
      'fields',
      'column',
      'dictionary',
      'terms',
      'postings',
    ] as const
    for (const kind of numbered) {
      for (const number of [0, 12, 1000]) expect(kindOfSegmentName(segmentFileName(kind, number))).toBe(kind)
    }
    expect(segmentFileName('vectors', 7)).toBe('vectors-007.seg')
    expect(kindOfSegmentName(segmentFileName('upper'))).toBe('upper')
    expect(kindOfSegmentName(segmentFileName('id-table'))).toBe('id-table')
    expect(kindOfSegmentName(segmentFileName('codebook'))).toBe('codebook')
    for (const name of [
      'vectors.seg',
      'codes.seg',
      'column.seg',
      'codebook-000.seg',
      'upper-000.seg',
      '../upper.seg',
      'links-1.seg',
      'links-001.seg\n',
      'a/ids-001.seg',
    ]) {
      expect(kindOfSegmentName(name), name).toBeUndefined()
    }
  })
})
