import fc from 'fast-check'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../spill/files/crc32.js'
import { createSegment, writeSegment, sealSegment } from '../../src/format/segment/write-segment.js'
import { PartWriter } from '../../src/format/segment/part-writer.js'
import { SegmentChecksums, type PartChecksums } from '../../src/format/segment/segment-checksums.js'
import { vectorsHeader } from '../../src/format/segment/segment-header.js'
import { pseudoRandomBytes, temporaryFolder } from '../fixtures/index-files.js'

const folder = temporaryFolder()

describe('a segment written in parts', () => {
  it('has the same bytes as one written at once, for any parts, order and write sizes', async () => {
    const cases = fc.record({
      count: fc.integer({ min: 1, max: 60_000 }),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }),
      order: fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 }),
      writeBytes: fc.integer({ min: 500, max: 300_000 }),
      bufferBytes: fc.constantFrom(1, 1000, 16_384, 2 ** 20),
    })
    const once = folder.path('once.seg')
    const parts = folder.path('parts.seg')
    await fc.assert(
      fc.asyncProperty(cases, async ({ count, cuts, order, writeBytes, bufferBytes }) => {
        const header = vectorsHeader({ firstNode: 7, count, dimensions: 1 })
        const data = pseudoRandomBytes(header.dataBytes, count)
        const expected = await writeSegment(once, header, data)

        const edges = [0, ...cuts.map((cut) => Math.floor(cut * data.length)), data.length].sort((a, b) => a - b)
        const spans = edges.slice(1).map((end, at) => ({ start: edges[at], end, key: order[at] }))
        await createSegment(parts, header)
        const checksums = new SegmentChecksums(header.dataBytes)
        for (const { start, end } of spans.sort((a, b) => a.key - b.key)) {
          const writer = new PartWriter(parts, start, { bufferBytes })
          for (let at = start; at < end; at += writeBytes)
            writer.write(data.subarray(at, Math.min(at + writeBytes, end)))
          checksums.add(writer.finish())
        }
        const sealed = await sealSegment(parts, header, checksums)

        const bytes = await readFile(parts)
        expect(bytes.equals(await readFile(once))).toBe(true)
        expect(sealed).toEqual({ ...expected, name: 'parts.seg' })
        expect(sealed.crc32).toBe(crc32(bytes))
        expect(sealed.bytes).toBe(bytes.length)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses a part beyond the end of the data', async () => {
    const path = folder.path('short.seg')
    await createSegment(path, vectorsHeader({ firstNode: 0, count: 10, dimensions: 2 }))
    const writer = new PartWriter(path, 40)
    writer.write(new Uint8Array(40))
    expect(() => writer.write(new Uint8Array(1))).toThrow('the data ends at 80')
    writer.close()
  })
})

describe('SegmentChecksums', () => {
  const part = (offset: number, length: number): PartChecksums => ({
    offset,
    length,
    pieces: [{ block: 0, start: offset, length, crc: 0 }],
  })

  it('refuses bytes that are already covered', () => {
    const checksums = new SegmentChecksums(100)
    checksums.add(part(10, 20))
    for (const [offset, length] of [
      [10, 20],
      [0, 11],
      [29, 5],
      [15, 1],
    ]) {
      expect(() => checksums.add(part(offset, length))).toThrow('written twice')
    }
    checksums.add(part(0, 10))
    checksums.add(part(30, 70))
    expect(checksums.complete).toBe(true)
    expect(() => checksums.add(part(99, 1))).toThrow('written twice')
  })

  it('names the first gap when the table is requested too early', () => {
    const checksums = new SegmentChecksums(20_000)
    checksums.add(part(0, 16_383))
    expect(checksums.complete).toBe(false)
    expect(() => checksums.blockCrcs()).toThrow('block 0 (data byte 0) with 16383 of 16384 bytes written')
  })

  it('refuses parts that leave the data or have gaps', () => {
    const checksums = new SegmentChecksums(100)
    expect(() => checksums.add(part(90, 11))).toThrow(RangeError)
    expect(() => checksums.add({ ...part(0, 10), length: 11 })).toThrow(RangeError)
    expect(() => checksums.add({ ...part(0, 10), offset: 1 })).toThrow(RangeError)
    expect(checksums.complete).toBe(false)
  })
})
