import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../spill/files/crc32.js'
import { CorruptIndexError } from '../../../src/errors.js'
import { encodeFrame } from '../../../src/format/live/log-frame.js'
import { outcome, temporaryFolder } from '../../fixtures/index-files.js'
import { deletion, LOG_FACTS, readWhole, upsert, withFields, writeLog } from '../../fixtures/logs.js'
import { runs } from '../../whole.js'

const folder = temporaryFolder()
/** Each group is synced before the next, so the last frame of all alone is not proven. */
const GROUPS = [
  [upsert(101, ['a', 'é', -3])],
  [deletion(104, ['a', 'b', 'c']), upsert(107, [2 ** 40])],
  [upsert(108, ['x'])],
]
const CHANGES = GROUPS.flat()
const LAST = CHANGES.length - 1

type Read = Awaited<ReturnType<typeof readWhole>>

/** What reading these bytes gives or throws. */
async function readBytes(bytes: Uint8Array, options: Parameters<typeof readWhole>[1] = {}): Promise<Read | Error> {
  const path = folder.path('damaged.log')
  await writeFile(path, bytes)
  return (await outcome(readWhole(path, options))) as Read | Error
}

describe('a log that ends', () => {
  it('at any byte has the whole frames before it, and a torn rest', async () => {
    const { bytes, ends } = await writeLog(folder.path('ends.log'), GROUPS)
    for (let length = 64; length <= bytes.length; length++) {
      const read = (await readBytes(bytes.subarray(0, length))) as Read
      const whole = ends.filter((end) => end <= length).length - 1
      expect(read.changes).toEqual(CHANGES.slice(0, whole))
      expect(read.end.end).toBe(ends[whole])
      const torn = length === ends[whole] ? undefined : { offset: ends[whole], bytes: length - ends[whole] }
      if (torn === undefined) expect(read.end.torn).toBeUndefined()
      else expect(read.end.torn).toMatchObject(torn)
    }
    for (let length = 0; length < 64; length++) {
      expect(await readBytes(bytes.subarray(0, length))).toBeInstanceOf(CorruptIndexError)
    }
  })

  it('in zeros from any byte on is torn there: a length that reached the device before its data', async () => {
    const { bytes, ends } = await writeLog(folder.path('zeros.log'), GROUPS)
    for (let length = 64; length < bytes.length; length++) {
      const zeroed = Buffer.alloc(bytes.length + 4096)
      bytes.copy(zeroed, 0, 0, length)
      const read = (await readBytes(zeroed)) as Read
      // Zeros that took the place of zeros are no damage.
      const whole = ends.filter((end) => zeroed.subarray(0, end).equals(bytes.subarray(0, end))).length - 1
      expect(read.changes).toEqual(CHANGES.slice(0, whole))
      expect(read.end.torn).toMatchObject({ offset: ends[whole], bytes: zeroed.length - ends[whole] })
    }
  })

  it('in a frame is damage where the file was finished', async () => {
    const { bytes, ends } = await writeLog(folder.path('sealed.log'), GROUPS)
    const read = await readBytes(bytes.subarray(0, ends[2] + 41), { sealed: true })
    expect(read).toBeInstanceOf(CorruptIndexError)
    expect(read).toMatchObject({ offset: ends[2] })
  })
})

describe('a flipped bit', () => {
  it('anywhere is damage at its frame, or tears the last one; never another answer', async () => {
    const { bytes, ends } = await writeLog(folder.path('flips.log'), GROUPS)
    for (let byte = 0; byte < bytes.length; byte++) {
      const flipped = Buffer.from(bytes)
      flipped[byte] ^= 1 << (byte % 8)
      const read = await readBytes(flipped, { chunkBytes: 200 })
      const frame = ends.filter((end) => end <= byte).length - 1
      // The frames of the second group were written at once: the third says that both were on the device.
      if (frame < LAST) {
        expect(read, `byte ${byte}`).toBeInstanceOf(CorruptIndexError)
        if (frame >= 0) expect(read).toMatchObject({ offset: ends[frame] })
      } else {
        expect((read as Read).changes, `byte ${byte}`).toEqual(CHANGES.slice(0, LAST))
        expect((read as Read).end.torn).toMatchObject({ offset: ends[LAST], bytes: bytes.length - ends[LAST] })
      }
    }
  })

  it('in a frame after which nothing was synced tears the log there', async () => {
    const { bytes, ends } = await writeLog(folder.path('one-group.log'), [CHANGES])
    for (const byte of [ends[1], ends[1] + 36, ends[1] + 50]) {
      const flipped = Buffer.from(bytes)
      flipped[byte] ^= 1
      const read = (await readBytes(flipped)) as Read
      expect(read.changes).toEqual(CHANGES.slice(0, 1))
      expect(read.end.torn).toMatchObject({ offset: ends[1], bytes: bytes.length - ends[1] })
    }
  })

  it('in the first frame of the last group tears the log there: the second proves nothing about it', async () => {
    const { bytes, ends } = await writeLog(folder.path('last-group.log'), GROUPS.slice(0, 2))
    for (const byte of [ends[1], ends[1] + 50]) {
      const flipped = Buffer.from(bytes)
      flipped[byte] ^= 1
      const read = (await readBytes(flipped)) as Read
      expect(read.changes).toEqual(CHANGES.slice(0, 1))
      expect(read.end.torn).toMatchObject({ offset: ends[1], bytes: bytes.length - ends[1] })
    }
  })

  it('is proven by a later header whose payload is torn', async () => {
    const { bytes, ends } = await writeLog(folder.path('later.log'), GROUPS)
    const flipped = Buffer.from(bytes.subarray(0, ends[LAST] + 48))
    flipped[ends[0] + 1] ^= 1
    expect(await readBytes(flipped)).toMatchObject({ offset: ends[0] })
  })

  it('in a length takes no memory for it', async () => {
    const { bytes, ends } = await writeLog(folder.path('length.log'), GROUPS)
    const forged = Buffer.from(bytes)
    const rewrite = (payloadBytes: number): void => {
      forged.writeUInt32LE(payloadBytes, ends[LAST])
      const head = forged.subarray(ends[LAST], ends[LAST] + 36)
      forged.writeUInt32LE(crc32(head, forged.readUInt32LE(60)), ends[LAST] + 36)
    }
    rewrite(2 ** 32 - 1)
    expect(await readBytes(forged)).toBeInstanceOf(CorruptIndexError)
    rewrite(64 * 2 ** 20)
    const read = (await readBytes(forged)) as Read
    expect(read.end.torn?.reason).toBe(`a frame of ${64 * 2 ** 20 + 40} bytes has ${bytes.length - ends[LAST]}`)
  })
})

let withRows: Buffer | undefined

/** A log of one frame with three field rows, sound but for what `change` writes into the frame. */
async function forged(change: (frame: Buffer) => void): Promise<Read | Error> {
  const rows = withFields(upsert(101, ['a', 'b', 'c']), [2, 0, 4])
  const bytes = (withRows ??= (await writeLog(folder.path('fields.log'), [[rows]])).bytes)
  const frame = Buffer.from(bytes.subarray(64))
  change(frame)
  frame.writeUInt32LE(crc32(Buffer.concat([frame.subarray(0, 32), frame.subarray(40)]), LOG_FACTS.chain), 32)
  frame.writeUInt32LE(crc32(frame.subarray(0, 36), bytes.readUInt32LE(60)), 36)
  return readBytes(Buffer.concat([bytes.subarray(0, 64), frame]))
}

describe('a forged frame of fields', () => {
  const OFFSETS_AT = 40 + 36

  it('is refused when an offset is before the one before, or out of the frame', async () => {
    expect(await forged(() => undefined)).toMatchObject({ end: { torn: undefined } })
    for (const [at, offset] of [
      [0, 1],
      [1, 7],
      [1, 2 ** 32 - 1],
      [2, 1],
      [3, 2 ** 31],
    ]) {
      const read = await forged((frame) => frame.writeUInt32LE(offset, OFFSETS_AT + 4 * at))
      expect(read, `${at} ${offset}`).toBeInstanceOf(CorruptIndexError)
    }
  })

  it('is refused when ids take the place of fields, or fields that of ids', async () => {
    for (const end of [5, 7]) {
      const read = await forged((frame) => frame.writeUInt32LE(end, OFFSETS_AT + 12))
      expect(read, `${end}`).toBeInstanceOf(CorruptIndexError)
    }
    expect(await forged((frame) => frame.writeUInt32LE(0, 12))).toBeInstanceOf(CorruptIndexError)
  })

  it('is refused with more rows than there are offsets, and as a delete', async () => {
    expect(await forged((frame) => frame.writeUInt32LE(5, 4))).toBeInstanceOf(CorruptIndexError)
    expect(await forged((frame) => frame.writeUInt32LE(2, 8))).toMatchObject({ reason: 'unknown frame flags 2' })
    expect(await forged((frame) => frame.writeUInt32LE(6, 12))).toMatchObject({ reason: 'unknown frame flags 6' })
  })

  it('gives an answer or an error, whatever its payload is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(200), fc.uint8Array({ minLength: 1, maxLength: 16 }), async (at, bytes) => {
        const read = await forged((frame) =>
          frame.set(bytes.subarray(0, frame.length - 40), Math.min(40 + at, frame.length - 16)),
        )
        if (read instanceof Error) expect(read).toBeInstanceOf(CorruptIndexError)
        else expect(read.changes[0].fields?.count).toBe(3)
      }),
      { numRuns: runs(200) },
    )
  })
})

describe('a frame out of its place', () => {
  it('is found: two that changed places', async () => {
    const one = [[upsert(101, ['a'])], [upsert(102, ['b'])], [upsert(103, ['c'])], [upsert(104, ['d'])]]
    const { bytes, ends } = await writeLog(folder.path('swap.log'), one)
    const [a, b, c, d] = one.map((_, i) => bytes.subarray(ends[i], ends[i + 1]))
    const swapped = await readBytes(Buffer.concat([bytes.subarray(0, 64), a, c, b, d]))
    expect(swapped).toBeInstanceOf(CorruptIndexError)
    expect(swapped).toMatchObject({ offset: ends[1] })
    const missing = await readBytes(Buffer.concat([bytes.subarray(0, 64), a, c, d]))
    expect(missing).toMatchObject({ offset: ends[1] })
    const twice = (await readBytes(Buffer.concat([bytes, d]))) as Read
    expect(twice.changes.length).toBe(4)
    expect(twice.end.torn).toMatchObject({ offset: bytes.length })
  })

  it('is found: one of another log', async () => {
    const { bytes, ends } = await writeLog(folder.path('mine.log'), GROUPS)
    const other = await writeLog(folder.path('other.log'), GROUPS, { ...LOG_FACTS, number: 8 })
    const mixed = Buffer.concat([bytes.subarray(0, ends[1]), other.bytes.subarray(ends[1])])
    const read = (await readBytes(mixed)) as Read
    // What the other log says about its device proves nothing here.
    expect(read.changes).toEqual(CHANGES.slice(0, 1))
    expect(read.end.torn).toMatchObject({ offset: ends[1], reason: "the frame header's CRC is wrong" })
    const first = await writeLog(folder.path('chain.log'), GROUPS, { ...LOG_FACTS, chain: 1 })
    expect(first.bytes.readUInt32LE(64 + 32)).not.toBe(bytes.readUInt32LE(64 + 32))
  })

  it('is found: a sound one whose sequence was there before', async () => {
    const { bytes } = await writeLog(folder.path('again.log'), [[upsert(101, ['a', 'b'])]])
    const { end } = await readWhole(folder.path('again.log'))
    const path = folder.path('again.log')
    const again = encodeFrame(upsert(102, ['c']), { dimensions: 3, fileCrc: end.fileCrc, chain: end.chain, synced: 0 })
    await writeFile(path, Buffer.concat([bytes, again.bytes]))
    expect(await outcome(readWhole(path))).toMatchObject({
      offset: bytes.length,
      reason: 'sequence 102 follows sequence 102',
    })
  })
})

it('an id whose text is a frame of a log proves nothing about a torn frame that holds it', async () => {
  const { bytes, ends } = await writeLog(folder.path('source.log'), [[upsert(1001, ['a'])], [upsert(1002, ['b'])]], {
    ...LOG_FACTS,
    firstSequence: 1001,
  })
  const frame = bytes.subarray(ends[1], ends[2])
  // Every byte value as a character of its own would be two bytes of UTF-8: vectors hold any bytes.
  const rows = Math.ceil(frame.length / 12)
  const vectors = new Float32Array(rows * 3)
  Buffer.from(vectors.buffer).set(frame)
  const change = {
    ...upsert(
      101,
      Array.from({ length: rows }, (_, i) => i),
    ),
    vectors,
  }
  const holding = await writeLog(folder.path('holding.log'), [[change]])
  const torn = Buffer.from(holding.bytes)
  torn.fill(0, 64, 104)
  expect(((await readBytes(torn)) as Read).end.torn).toMatchObject({ offset: 64 })
})
