import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PartCopies } from '../../../src/cluster/files/part-copies.js'
import { CorruptSpillError } from '../../../src/errors.js'
import { partChecksums, SegmentChecksums } from '../../../src/format/segment/segment-checksums.js'
import { SEGMENT_HEADER_BYTES } from '../../../src/format/segment/segment-header.js'
import { makeFolder } from '../../fixtures/tasks.js'

const random = (bytes: number, seed: number): Uint8Array =>
  new Uint8Array(bytes).map((_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24)

/** A host's file with a part in it. */
function hostFile(name: string, dataOffset: number, bytes: Uint8Array): string {
  const file = join(makeFolder(), name)
  const whole = new Uint8Array(SEGMENT_HEADER_BYTES + dataOffset + bytes.length)
  whole.set(bytes, SEGMENT_HEADER_BYTES + dataOffset)
  writeFileSync(file, whole)
  return file
}

describe('parts of a segment', () => {
  it('are copied side by side, larger than a chunk and at any offset, with the checksums of their hosts', async () => {
    const sizes = [5_000_000, 1, 9_000_001, 4 * 2 ** 20, 16384, 77]
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const segment = join(makeFolder(), 'vectors-000.seg')
    writeFileSync(segment, new Uint8Array(SEGMENT_HEADER_BYTES + total))
    const all = random(total, 5)
    const copies = new PartCopies()
    const checksums = new SegmentChecksums(total)
    let at = 0
    const parts = sizes.map((size) => {
      const [dataOffset, bytes] = [at, all.subarray(at, at + size)]
      at += size
      const claimed = partChecksums(dataOffset, bytes)
      return copies.accept(hostFile('part', dataOffset, bytes), { path: segment, dataOffset, bytes: size }, claimed)
    })
    for (const part of await Promise.all(parts)) checksums.add(part)
    expect(checksums.complete).toBe(true)
    expect(readFileSync(segment).subarray(SEGMENT_HEADER_BYTES).equals(all)).toBe(true)
  })

  it('that fail leave room for the next ones', async () => {
    const segment = join(makeFolder(), 'vectors-000.seg')
    writeFileSync(segment, new Uint8Array(SEGMENT_HEADER_BYTES + 100))
    const copies = new PartCopies()
    const bytes = random(100, 1)
    const expected = { path: segment, dataOffset: 0, bytes: 100 }
    const broken = Array.from({ length: 9 }, () =>
      copies.accept(hostFile('part', 0, random(100, 2)), expected, partChecksums(0, bytes)),
    )
    for (const each of await Promise.allSettled(broken)) {
      expect(each.status === 'rejected' && each.reason).toBeInstanceOf(CorruptSpillError)
    }
    await copies.accept(hostFile('part', 0, bytes), expected, partChecksums(0, bytes))
    expect(readFileSync(segment).subarray(SEGMENT_HEADER_BYTES).equals(bytes)).toBe(true)
  })
})
