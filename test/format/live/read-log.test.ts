import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError, PathError } from '../../../src/errors.js'
import { encodeFrame } from '../../../src/format/live/log-frame.js'
import { encodeLogHeader, fileCrcOf } from '../../../src/format/live/log-header.js'
import { logChanges, readLog } from '../../../src/format/live/read-log.js'
import { outcome, temporaryFolder } from '../../fixtures/index-files.js'
import { anyGroups, deletion, LOG_FACTS, numbered, readWhole, upsert, writeLog } from '../../fixtures/logs.js'
import { runs } from '../../whole.js'

const folder = temporaryFolder()
let made = 0
const newPath = (): string => folder.path(`log-${made++}.log`)
const GROUPS = [[upsert(101, ['a', 'é', -3])], [deletion(104, ['a']), upsert(105, [2 ** 40])], [upsert(110, ['x'])]]

describe('a log', () => {
  it('is read as it was written, from every boundary between frames, in reads of any size', async () => {
    await fc.assert(
      fc.asyncProperty(anyGroups, fc.integer({ min: 1, max: 300 }), async (given, chunkBytes) => {
        const groups = numbered(given)
        const changes = groups.flat()
        const path = newPath()
        const { bytes, ends } = await writeLog(path, groups)
        expect(ends.length).toBe(changes.length + 1)
        const places = [{ end: 64, chain: LOG_FACTS.chain, lastSequence: 100, frame: 0 }]
        changes.forEach(({ firstSequence, ids }, i) => {
          const chain = bytes.readUInt32LE(ends[i] + 32)
          places.push({ end: ends[i + 1], chain, lastSequence: firstSequence + ids.length - 1, frame: ends[i] })
        })
        for (const [i, from] of places.entries()) {
          const read = await readWhole(path, { from, chunkBytes })
          expect(read.changes).toEqual(changes.slice(i))
          expect(read.end).toEqual({
            ...places[places.length - 1],
            facts: LOG_FACTS,
            fileCrc: bytes.readUInt32LE(60),
            torn: undefined,
          })
        }
        expect((await readWhole(path)).changes).toEqual(changes)
      }),
      { numRuns: runs(80) },
    )
  })

  it('keeps a column of sequences, in frames of any order', async () => {
    const path = newPath()
    const columns = [
      { ...upsert(50, ['a', 'b']), sequences: Float64Array.of(50, 70) },
      { ...deletion(20, [1, 2]), sequences: Float64Array.of(20, 60) },
    ]
    let chain = LOG_FACTS.chain
    const header = encodeLogHeader({ ...LOG_FACTS, firstSequence: 1 })
    const frames = columns.map((change) => {
      const frame = encodeFrame(change, { dimensions: 3, fileCrc: fileCrcOf(header), chain, synced: 0 })
      chain = frame.chain
      return frame.bytes
    })
    await writeFile(path, Buffer.concat([header, ...frames]))
    const { changes, end } = await readWhole(path, { sealed: true })
    expect(changes).toEqual(columns)
    expect(end.lastSequence).toBe(70)
  })

  it('gives views that begin where their type can be read', async () => {
    const path = newPath()
    await writeLog(path, GROUPS)
    for await (const { vectors, ids } of logChanges(path, LOG_FACTS, { chunkBytes: 72 })) {
      expect(vectors.byteOffset % 8).toBe(0)
      expect(ids.length).toBeGreaterThan(0)
    }
  })

  it.runIf(process.platform === 'linux')('is closed when the caller leaves it early, or throws', async () => {
    const path = newPath()
    await writeLog(path, GROUPS)
    const openTimes = async (): Promise<number> => {
      const links = (await readdir('/proc/self/fd')).map((fd) => outcome(readlink(`/proc/self/fd/${fd}`)))
      return (await Promise.all(links)).filter((target) => target === path).length
    }
    for await (const { firstSequence } of logChanges(path, LOG_FACTS)) {
      expect([firstSequence, await openTimes()]).toEqual([101, 1])
      break
    }
    expect(await openTimes()).toBe(0)
    const thrown = new Error('enough')
    const refuse = (): void => {
      throw thrown
    }
    expect(await outcome(readLog(path, LOG_FACTS, refuse))).toBe(thrown)
    expect(await openTimes()).toBe(0)
  })

  it('of other dimensions, another metric or number is refused', async () => {
    const path = newPath()
    await writeLog(path, GROUPS)
    for (const [other, reason] of [
      [{ dimensions: 4 }, 'a log of dimensions 3, expected 4'],
      [{ metric: 'ip' }, 'a log of metric l2, expected ip'],
      [{ number: 8 }, 'a log of number 7, expected 8'],
    ] as const) {
      const error = await outcome(readWhole(path, other))
      expect(error).toBeInstanceOf(CorruptIndexError)
      expect((error as Error).message).toContain(reason)
    }
  })

  it('without a whole header is damage, unless it is the newest', async () => {
    const header = encodeLogHeader(LOG_FACTS)
    for (const bytes of [new Uint8Array(0), header.subarray(0, 63), new Uint8Array(64)]) {
      const path = newPath()
      await writeFile(path, bytes)
      expect(await outcome(readWhole(path))).toBeInstanceOf(CorruptIndexError)
      const { end, changes } = await readWhole(path, { newest: true })
      expect(changes).toEqual([])
      expect(end).toMatchObject({ end: 0, facts: undefined, torn: { offset: 0, bytes: bytes.length } })
    }
    const path = newPath()
    await writeFile(path, new Uint8Array(65))
    expect(await outcome(readWhole(path, { newest: true }))).toBeInstanceOf(CorruptIndexError)
  })

  it('with a sound header and without frames is empty, newest or not', async () => {
    const path = newPath()
    await writeFile(path, encodeLogHeader(LOG_FACTS))
    for (const newest of [true, false]) {
      const { end } = await readWhole(path, { newest })
      expect(end).toMatchObject({ end: 64, lastSequence: 100, facts: LOG_FACTS, torn: undefined })
    }
  })

  it('that is missing, or no file, is a typed error', async () => {
    expect(await outcome(readWhole(folder.path('absent.log')))).toBeInstanceOf(CorruptIndexError)
    await mkdir(folder.path('folder.log'))
    const error = await outcome(readWhole(folder.path('folder.log')))
    expect(error).toBeInstanceOf(CorruptIndexError)
    expect(error).not.toBeInstanceOf(PathError)
  })

  it('that became shorter than what was read of it is damage', async () => {
    const path = newPath()
    const { bytes, ends } = await writeLog(path, GROUPS)
    const { end } = await readWhole(path)
    await writeFile(path, bytes.subarray(0, ends[2]))
    expect(await outcome(readWhole(path, { from: end }))).toMatchObject({ offset: ends[2] })
  })
})
