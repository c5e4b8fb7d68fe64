import fc from 'fast-check'
import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { createSegment, writeSegment, sealSegment } from '../../src/format/segment/write-segment.js'
import { PartWriter } from '../../src/format/segment/part-writer.js'
import { patchSegment } from '../../src/format/segment/patch-segment.js'
import { readSegmentData, SegmentReader } from '../../src/format/segment/segment-reader.js'
import { readSegmentHeader } from '../../src/format/segment/read-segment-header.js'
import { SegmentChecksums } from '../../src/format/segment/segment-checksums.js'
import { SEGMENT_BLOCK_BYTES, SEGMENT_HEADER_BYTES, vectorsHeader } from '../../src/format/segment/segment-header.js'
import { allBits, outcome, pseudoRandomBytes, temporaryFolder, withEachBitFlipped } from '../fixtures/index-files.js'
import { runs, some } from '../whole.js'

const folder = temporaryFolder()
const header = vectorsHeader({ firstNode: 0, count: 60_000, dimensions: 1 })
const data = pseudoRandomBytes(header.dataBytes, 5)
const range = fc.tuple(fc.nat(data.length), fc.nat(data.length)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)])

async function flipBit(path: string, position: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[position] ^= 1
  await writeFile(path, bytes)
}

describe('SegmentReader', () => {
  it('reads any range', async () => {
    const path = folder.path('ranges.seg')
    const reader = await SegmentReader.open(path, await writeSegment(path, header, data))
    try {
      await fc.assert(
        fc.asyncProperty(range, async ([start, end]) => {
          const into = new Uint8Array(end - start)
          await reader.read(start, into)
          expect(Buffer.compare(into, data.subarray(start, end))).toBe(0)
        }),
      )
      await expect(reader.read(data.length - 1, new Uint8Array(2))).rejects.toThrow(RangeError)
    } finally {
      await reader.close()
    }
  })

  it('refuses a range that touches a damaged block, and only such a range', async () => {
    const path = folder.path('damaged.seg')
    const file = await writeSegment(path, header, data)
    const badByte = SEGMENT_BLOCK_BYTES + 10
    await flipBit(path, SEGMENT_HEADER_BYTES + badByte)
    const reader = await SegmentReader.open(path, file)
    try {
      await reader.read(0, new Uint8Array(SEGMENT_BLOCK_BYTES))
      await reader.read(2 * SEGMENT_BLOCK_BYTES, new Uint8Array(1000))
      const refused = reader.read(2 * SEGMENT_BLOCK_BYTES - 1, new Uint8Array(5))
      await expect(refused).rejects.toThrow(CorruptIndexError)
      await expect(refused).rejects.toThrow(`at byte ${SEGMENT_HEADER_BYTES + SEGMENT_BLOCK_BYTES}`)
    } finally {
      await reader.close()
    }
  })

  it('refuses a sound segment from another build', async () => {
    const path = folder.path('other.seg')
    const file = await writeSegment(path, header, data)
    await writeSegment(path, header, pseudoRandomBytes(header.dataBytes, 6))
    await readSegmentHeader(path, file)
    await expect(SegmentReader.open(path, file)).rejects.toThrow('belongs to another build')
  })

  it('refuses a file that is missing, truncated or extended', async () => {
    const path = folder.path('cut.seg')
    const file = await writeSegment(path, header, data)
    await truncate(path, file.bytes + 1)
    await expect(SegmentReader.open(path, file)).rejects.toThrow('longer than it was written')
    await truncate(path, file.bytes - 1)
    await expect(SegmentReader.open(path, file)).rejects.toThrow(`truncated: ${file.bytes - 1} bytes, expected`)
    await expect(SegmentReader.open(`${path}.gone`, file)).rejects.toThrow('the file is missing')
  })
})

describe('readSegmentData', () => {
  it('fills views chunk by chunk, also in shared memory', async () => {
    const path = folder.path('chunks.seg')
    const file = await writeSegment(path, header, data)
    await fc.assert(
      fc.asyncProperty(range, fc.integer({ min: 1000, max: 200_000 }), async ([start, end], chunkBytes) => {
        const all = new Uint8Array(new SharedArrayBuffer(data.length))
        let filled = 0
        const into = (offset: number, length: number): Uint8Array => all.subarray(offset, offset + length)
        const onChunk = (_: number, view: Uint8Array): void => void (filled += view.length)
        await readSegmentData(path, file, into, { offset: start, length: end - start, chunkBytes, onChunk })
        expect(filled).toBe(end - start)
        expect(Buffer.compare(all.subarray(start, end), data.subarray(start, end))).toBe(0)
        expect(all.subarray(0, start).every((byte) => byte === 0)).toBe(true)
        expect(all.subarray(end).every((byte) => byte === 0)).toBe(true)
      }),
      { numRuns: runs(30) },
    )
  })

  it('reads everything by default', async () => {
    const path = folder.path('default.seg')
    const all = new Uint8Array(data.length)
    await readSegmentData(path, await writeSegment(path, header, data), (offset, length) =>
      all.subarray(offset, offset + length),
    )
    expect(Buffer.compare(all, data)).toBe(0)
  })
})

describe('readSegmentHeader', () => {
  it('reads the written header from a path or a handle', async () => {
    const path = folder.path('header.seg')
    const file = await writeSegment(path, header, data)
    expect(await readSegmentHeader(path, file)).toEqual(header)
    const handle = await open(path)
    try {
      expect(await readSegmentHeader(handle, file)).toEqual(header)
    } finally {
      await handle.close()
    }
  })

  it('finds every flipped bit of the header page', async () => {
    const path = folder.path('flipped-header.seg')
    const small = vectorsHeader({ firstNode: 3, count: 2, dimensions: 2 })
    const file = await writeSegment(path, small, new Uint8Array(16))
    await withEachBitFlipped(path, some(allBits(SEGMENT_HEADER_BYTES), 9), async (bit) => {
      expect(await outcome(readSegmentHeader(path, file)), `bit ${bit}`).toBeInstanceOf(CorruptIndexError)
    })
    expect(await readSegmentHeader(path, file)).toEqual(small)
  })

  it('refuses a segment that is not the one the manifest lists', async () => {
    const path = folder.path('wrong.seg')
    const file = await writeSegment(path, header, data)
    await expect(readSegmentHeader(path, { ...file, firstNode: 1 })).rejects.toThrow("firstNode is 0, the manifest's 1")
    await expect(readSegmentHeader(path, { ...file, kind: 'links' })).rejects.toThrow('kind is vectors')
  })
})

describe('patchSegment', () => {
  it('leaves the same file as writing the patched bytes at first', async () => {
    const [patched, direct] = [folder.path('patched.seg'), folder.path('direct.seg')]
    await fc.assert(
      fc.asyncProperty(fc.array(range, { maxLength: 4 }), async (ranges) => {
        await createSegment(patched, header)
        const checksums = new SegmentChecksums(header.dataBytes)
        const writer = new PartWriter(patched, 0)
        writer.write(data)
        checksums.add(writer.finish())
        const wanted = data.slice()
        for (const [at, [start, end]] of ranges.entries()) {
          const change = pseudoRandomBytes(end - start, 100 + at)
          wanted.set(change, start)
          await patchSegment(patched, checksums, start, change)
        }
        const sealed = await sealSegment(patched, header, checksums)
        expect({ ...sealed, name: 'direct.seg' }).toEqual(await writeSegment(direct, header, wanted))
        expect((await readFile(patched)).equals(await readFile(direct))).toBe(true)
      }),
      { numRuns: runs(30) },
    )
  })

  it('refuses when the bytes on disk have changed', async () => {
    const path = folder.path('rotten.seg')
    await createSegment(path, header)
    const checksums = new SegmentChecksums(header.dataBytes)
    const writer = new PartWriter(path, 0)
    writer.write(data)
    checksums.add(writer.finish())
    await flipBit(path, SEGMENT_HEADER_BYTES + 100)
    await expect(patchSegment(path, checksums, 0, new Uint8Array(4))).rejects.toThrow(CorruptIndexError)
  })
})
