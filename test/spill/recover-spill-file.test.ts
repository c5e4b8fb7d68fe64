import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../spill/files/frame.js'
import { readBatches } from '../../spill/read-batches.js'
import { recoverSpillFile } from '../../spill/files/recover-spill-file.js'
import { CorruptSpillError } from '../../src/errors.js'
import { makeBatch, makeDirectory, snapshot, type TestHeader } from '../fixtures/batches.js'

// Odd sizes, so that padding is cut and flipped too.
const batches = [makeBatch(1, 13), makeBatch(2, 0), makeBatch(3, 16), makeBatch(4, 5)]
const frames = batches.map((batch) => Buffer.concat(encodeFrame(batch).parts))
const whole = Buffer.concat(frames)
const offsets = frames.map((_, index) => frames.slice(0, index).reduce((sum, { byteLength }) => sum + byteLength, 0))
const tailOffset = offsets[3]

async function recoverBytes(path: string, bytes: Uint8Array): ReturnType<typeof recoverSpillFile> {
  await writeFile(path, bytes)
  return recoverSpillFile(path)
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('recoverSpillFile', () => {
  it('finds every frame of an undamaged file and leaves it as it is', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    const recovered = await recoverBytes(path, whole)
    expect(recovered.cutBytes).toBe(0)
    expect(recovered.frames.map(({ offset }) => offset)).toEqual(offsets)
    expect(await readFile(path)).toEqual(whole)
  })

  it('cuts a file truncated at any byte after its last whole frame', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    for (let bytes = 0; bytes <= whole.byteLength; bytes++) {
      const recovered = await recoverBytes(path, whole.subarray(0, bytes))
      const kept = frames.filter((frame, index) => offsets[index] + frame.byteLength <= bytes).length
      const keptBytes = kept === frames.length ? whole.byteLength : offsets[kept]
      expect(recovered.frames, `truncated to ${bytes}`).toHaveLength(kept)
      expect([recovered.bytes, recovered.cutBytes]).toEqual([keptBytes, bytes - keptBytes])
      expect((await stat(path)).size).toBe(keptBytes)
      expect(Array.from(readBatches<TestHeader>(recovered.frames), snapshot)).toEqual(
        batches.slice(0, kept).map(snapshot),
      )
    }
  })

  it('throws CorruptSpillError with file and offset for any flipped bit before the tail frame, and changes nothing', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    for (let bit = 0; bit < tailOffset * 8; bit++) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      const error = await errorOf(recoverBytes(path, damaged))
      const frameOffset = offsets.findLast((offset) => offset * 8 <= bit)
      expect(error, `bit ${bit}`).toBeInstanceOf(CorruptSpillError)
      expect(error).toMatchObject({ path, offset: frameOffset })
      expect((await stat(path)).size).toBe(whole.byteLength)
    }
  })

  it('cuts a tail frame with a flipped bit in its body, and throws for one in its prefix', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    for (let bit = tailOffset * 8; bit < whole.byteLength * 8; bit++) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      if (bit < (tailOffset + 24) * 8) {
        expect(await errorOf(recoverBytes(path, damaged)), `bit ${bit}`).toBeInstanceOf(CorruptSpillError)
      } else {
        expect((await recoverBytes(path, damaged)).frames, `bit ${bit}`).toHaveLength(3)
      }
    }
  })

  it('cuts a tail of zeros, as a power cut leaves it, but not zeros before other data', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    const zeros = Buffer.alloc(3_000_000)
    const recovered = await recoverBytes(path, Buffer.concat([whole, zeros]))
    expect([recovered.frames.length, recovered.cutBytes]).toEqual([4, 3_000_000])
    const error = await errorOf(recoverBytes(path, Buffer.concat([whole, zeros, frames[0]])))
    expect(error).toMatchObject({ code: 'SHARDLOOM_CORRUPT_SPILL', offset: whole.byteLength })
  })

  it('reads frames larger than its buffer', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    const large = Buffer.concat(encodeFrame(makeBatch(9, 2_500_001)).parts)
    const recovered = await recoverBytes(path, Buffer.concat([large, frames[0], large.subarray(0, 2_000_000)]))
    expect(recovered.frames.map(({ frameBytes }) => frameBytes)).toEqual([large.byteLength, frames[0].byteLength])
    expect(recovered.cutBytes).toBe(2_000_000)
  })

  it('names a missing file', async () => {
    const path = join(await makeDirectory(), 'absent.spill')
    expect(await errorOf(recoverSpillFile(path))).toMatchObject({
      code: 'SHARDLOOM_SPILL_FAILED',
      cause: { code: 'ENOENT' },
    })
  })
})
