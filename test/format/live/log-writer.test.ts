import { mkdir, open, readFile, writeFile, type FileHandle } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CorruptIndexError, DiskFullError, FileFailedError, LogFailedError, PathError } from '../../../src/errors.js'
import { lastSequenceOf } from '../../../src/format/live/log-change.js'
import { encodeFrame } from '../../../src/format/live/log-frame.js'
import { encodeLogHeader } from '../../../src/format/live/log-header.js'
import { LogWriter } from '../../../src/format/live/log-writer.js'
import { outcome, temporaryFolder } from '../../fixtures/index-files.js'
import {
  anyGroups,
  appendGroup,
  deletion,
  LOG_FACTS,
  numbered,
  readWhole,
  upsert,
  writeLog,
} from '../../fixtures/logs.js'
import { runs } from '../../whole.js'

const folder = temporaryFolder()
let made = 0
const newPath = (): string => folder.path(`log-${made++}.log`)
const systemError = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

afterEach(() => void vi.restoreAllMocks())

/** What all file handles inherit their methods from. */
async function handlePrototype(): Promise<FileHandle> {
  const handle = await open(folder.path('any'), 'w')
  await handle.close()
  return Object.getPrototypeOf(handle) as FileHandle
}

async function failOnce(method: 'writev' | 'datasync' | 'truncate' | 'sync' | 'write', code: string): Promise<void> {
  vi.spyOn(await handlePrototype(), method).mockRejectedValueOnce(systemError(code))
}

/** The next writev writes its first bytes only; the one after it fails, when `then` says how. */
async function shortWrite(bytes: number, then?: string): Promise<void> {
  const prototype = await handlePrototype()
  const writev = Reflect.get(prototype, 'writev') as (...args: unknown[]) => Promise<unknown>
  const spy = vi.spyOn(prototype, 'writev').mockImplementationOnce(function (
    this: FileHandle,
    parts: readonly Uint8Array[],
    position: number,
  ) {
    return writev.call(this, [Buffer.concat(parts).subarray(0, bytes)], position)
  } as never)
  if (then !== undefined) spy.mockRejectedValueOnce(systemError(then))
}

describe('a log writer', () => {
  it('writes the same bytes however changes are grouped', async () => {
    await fc.assert(
      fc.asyncProperty(anyGroups, async (given) => {
        const changes = numbered(given).flat()
        const [single, grouped] = [newPath(), newPath()]
        for (const path of [single, grouped]) {
          const writer = await LogWriter.create(path, LOG_FACTS)
          if (path === single) for (const change of changes) await appendGroup(writer, [change], false)
          else if (changes.length > 0) await appendGroup(writer, changes, false)
          expect(writer.syncedSequence).toBe(100)
          await writer.close()
        }
        expect(await readFile(grouped)).toEqual(await readFile(single))
      }),
      { numRuns: runs(40) },
    )
  })

  it('writes a group in one call, and syncs once', async () => {
    const prototype = await handlePrototype()
    const writer = await LogWriter.create(newPath(), LOG_FACTS)
    const writev = vi.spyOn(prototype, 'writev')
    const datasync = vi.spyOn(prototype, 'datasync')
    await appendGroup(writer, [upsert(101, ['a']), deletion(102, ['b']), upsert(103, ['c', 'd'])])
    expect([writev.mock.calls.length, datasync.mock.calls.length]).toEqual([1, 1])
    expect([writer.lastSequence, writer.syncedSequence]).toEqual([104, 104])
    await appendGroup(writer, [upsert(105, ['e'])], false)
    expect([writer.lastSequence, writer.syncedSequence, datasync.mock.calls.length]).toEqual([105, 104, 1])
    await writer.sync()
    await writer.sync()
    expect([writer.syncedSequence, datasync.mock.calls.length]).toEqual([105, 2])
    await writer.close()
  })

  it('writes more frames than the system takes in one call', async () => {
    const path = newPath()
    const changes = Array.from({ length: 2500 }, (_, i) => upsert(101 + i, [i]))
    await writeLog(path, [changes])
    expect((await readWhole(path)).changes).toEqual(changes)
  })

  it('goes on behind a torn end, which it cuts off', async () => {
    const path = newPath()
    const { bytes, ends } = await writeLog(path, [[upsert(101, ['a'])], [upsert(102, ['b', 'c'])]])
    for (let length = ends[1]; length < bytes.length; length += 7) {
      await writeFile(path, bytes.subarray(0, length))
      const { end } = await readWhole(path)
      const writer = await LogWriter.reopen(path, LOG_FACTS, end)
      expect((await readFile(path)).length).toBe(ends[1])
      expect([writer.endOffset, writer.lastSequence, writer.syncedSequence]).toEqual([ends[1], 101, 101])
      await appendGroup(writer, [upsert(102, ['b', 'c'])])
      await writer.close()
      expect(await readFile(path)).toEqual(bytes)
    }
  })

  it('does not go on in a file that ends before, or has another header', async () => {
    const path = newPath()
    const { bytes } = await writeLog(path, [[upsert(101, ['a'])]])
    const { end } = await readWhole(path)
    expect(await outcome(LogWriter.reopen(path, { ...LOG_FACTS, number: 8 }, end))).toBeInstanceOf(CorruptIndexError)
    await writeFile(path, bytes.subarray(0, bytes.length - 1))
    expect(await outcome(LogWriter.reopen(path, LOG_FACTS, end))).toMatchObject({ offset: bytes.length - 1 })
  })

  it('makes anew what an interrupted create left, and nothing else', async () => {
    for (const left of [new Uint8Array(0), new Uint8Array(64), encodeLogHeader({ ...LOG_FACTS, number: 1 })]) {
      const path = newPath()
      await writeFile(path, left)
      await (await LogWriter.create(path, LOG_FACTS)).close()
      expect((await readWhole(path)).end.facts).toEqual(LOG_FACTS)
    }
    const path = newPath()
    const { bytes } = await writeLog(path, [[upsert(101, ['a'])]])
    expect(await outcome(LogWriter.create(path, LOG_FACTS))).toBeInstanceOf(PathError)
    expect(await readFile(path)).toEqual(bytes)
    expect(await outcome(LogWriter.create(folder.path('absent', 'x.log'), LOG_FACTS))).toBeInstanceOf(PathError)
    await mkdir(folder.path('folder.log'))
    expect(await outcome(LogWriter.create(folder.path('folder.log'), LOG_FACTS))).toBeInstanceOf(PathError)
  })

  it('refuses what its owner must not do', async () => {
    const writer = await LogWriter.create(newPath(), LOG_FACTS)
    const both = [appendGroup(writer, [upsert(101, ['a'])]), appendGroup(writer, [upsert(102, ['b'])])]
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await expect(appendGroup(writer, [upsert(101, ['a'])], false)).rejects.toThrow()
    await writer.close()
    await writer.close()
    await expect(writer.sync()).rejects.toThrow('sync after close')
    await expect(appendGroup(writer, [upsert(103, ['c'])], false)).rejects.toThrow('append after close')
  })
})

describe('a write that fails', () => {
  it.each([
    ['ENOSPC', DiskFullError],
    ['EIO', FileFailedError],
  ] as const)('with %s adds no change, and the log takes the next', async (code, expected) => {
    const path = newPath()
    const writer = await LogWriter.create(path, LOG_FACTS)
    await appendGroup(writer, [upsert(101, ['a'])])
    const before = await readFile(path)
    let next = 102
    for (const fault of [() => failOnce('writev', code), () => shortWrite(30, code), () => shortWrite(110, code)]) {
      await fault()
      // The first frame of the group is whole in the file when 110 bytes are written.
      const group = [upsert(next, ['b']), deletion(next + 1, ['a', 'b'])]
      next += 3
      expect(await outcome(appendGroup(writer, group))).toBeInstanceOf(expected)
      vi.restoreAllMocks()
      expect((await readFile(path)).subarray(0, before.length)).toEqual(before)
      expect((await readWhole(path)).changes).toEqual([upsert(101, ['a'])])
      expect([writer.given, writer.lastSequence, writer.syncedSequence]).toEqual([next - 1, 101, 101])
    }
    await appendGroup(writer, [upsert(next, ['c'])])
    await writer.close()
    const { changes, end } = await readWhole(path)
    expect(changes).toEqual([upsert(101, ['a']), upsert(next, ['c'])])
    expect(end.torn).toBeUndefined()
  })

  it.each([
    ['at once', 1, (): Promise<void> => Promise.resolve()],
    ['when it is closed, if the disk is too full for that', 2, (writer: LogWriter) => writer.mark()],
  ])('has sequences that the next writer does not give again: the log says so %s', async (_, fails, leave) => {
    const path = newPath()
    const writer = await LogWriter.create(path, LOG_FACTS)
    for (let i = 0; i < fails; i++) await failOnce('writev', 'ENOSPC')
    expect(await outcome(appendGroup(writer, [upsert(101, ['a', 'b', 'c'])]))).toBeInstanceOf(DiskFullError)
    await leave(writer)
    await writer.close()
    const { end, changes } = await readWhole(path)
    expect([end.lastSequence, changes]).toEqual([103, []])
    const again = await LogWriter.reopen(path, LOG_FACTS, end)
    expect(again.given).toBe(103)
    await expect(appendGroup(again, [upsert(103, ['a'])])).rejects.toThrow(RangeError)
    await appendGroup(again, [upsert(104, ['a'])])
    await again.close()
    expect((await readWhole(path)).changes).toEqual([upsert(104, ['a'])])
  })

  it('says how many bytes the disk has no room for', async () => {
    const writer = await LogWriter.create(newPath(), LOG_FACTS)
    const place = { dimensions: 3, fileCrc: writer.fileCrc, chain: writer.chain, synced: 0 }
    const { bytes, chain } = encodeFrame(upsert(101, ['a']), place)
    await failOnce('writev', 'ENOSPC')
    const error = await outcome(writer.append([bytes], 101, chain, true))
    expect(error).toMatchObject({ details: { neededBytes: bytes.length } })
    await writer.close()
  })

  it('is none when it was only short', async () => {
    const [path, sound] = [newPath(), newPath()]
    const group = [upsert(101, ['a']), upsert(102, ['b'])]
    const { bytes } = await writeLog(sound, [group])
    for (let short = 1; short < bytes.length - 64; short += 13) {
      await writeFile(path, '')
      const writer = await LogWriter.create(path, LOG_FACTS)
      await shortWrite(short)
      await appendGroup(writer, group)
      vi.restoreAllMocks()
      await writer.close()
      expect(await readFile(path)).toEqual(bytes)
    }
  })

  it('and cannot be cut off ends the log until it is opened again', async () => {
    const path = newPath()
    const writer = await LogWriter.create(path, LOG_FACTS)
    await appendGroup(writer, [upsert(101, ['a'])])
    await shortWrite(50, 'EIO')
    await failOnce('truncate', 'EROFS')
    const error = await outcome(appendGroup(writer, [upsert(102, ['b'])]))
    expect(error).toBeInstanceOf(LogFailedError)
    expect((error as Error).message).toMatch(/a write failed \(EIO.*could not be cut off: EROFS.*open the index again/)
    vi.restoreAllMocks()
    expect(await outcome(appendGroup(writer, [upsert(102, ['b'])]))).toBe(error)
    expect(await outcome(writer.sync())).toBe(error)
    await writer.close()
    const { end } = await readWhole(path)
    expect(end.torn).toMatchObject({ bytes: 50 })
    const again = await LogWriter.reopen(path, LOG_FACTS, end)
    await appendGroup(again, [upsert(102, ['c'])])
    await again.close()
    expect((await readWhole(path)).changes).toEqual([upsert(101, ['a']), upsert(102, ['c'])])
  })
})

describe('a sync that fails', () => {
  it('ends the log until it is opened again', async () => {
    const path = newPath()
    const writer = await LogWriter.create(path, LOG_FACTS)
    await appendGroup(writer, [upsert(101, ['a'])])
    await failOnce('datasync', 'EIO')
    const error = await outcome(appendGroup(writer, [upsert(102, ['b'])]))
    expect(error).toBeInstanceOf(LogFailedError)
    expect(error).toMatchObject({ code: 'SHARDLOOM_LOG_FAILED', path, cause: { code: 'EIO' } })
    expect(writer.syncedSequence).toBe(101)
    for (const later of [appendGroup(writer, [upsert(103, ['c'])], false), writer.sync()]) {
      expect(await outcome(later)).toBe(error)
    }
    await writer.close()
    const { end, changes } = await readWhole(path)
    expect(changes.slice(0, 1)).toEqual([upsert(101, ['a'])])
    await (await LogWriter.reopen(path, LOG_FACTS, end)).close()
  })

  it('beside a write rejects that write too', async () => {
    const writer = await LogWriter.create(newPath(), LOG_FACTS)
    await appendGroup(writer, [upsert(101, ['a'])], false)
    await failOnce('datasync', 'EIO')
    const [sync, append] = await Promise.all([
      outcome(writer.sync()),
      outcome(appendGroup(writer, [upsert(102, ['b'])], true)),
    ])
    expect(sync).toBeInstanceOf(LogFailedError)
    expect(append).toBe(sync)
    await writer.close()
  })

  it('of a new log, or of a reopened one, is a typed error', async () => {
    const path = newPath()
    await failOnce('sync', 'EIO')
    expect(await outcome(LogWriter.create(path, LOG_FACTS))).toBeInstanceOf(FileFailedError)
    vi.restoreAllMocks()
    const writer = await LogWriter.create(path, LOG_FACTS)
    const change = upsert(101, ['a'])
    await appendGroup(writer, [change])
    await writer.close()
    const { end } = await readWhole(path)
    expect(end.lastSequence).toBe(lastSequenceOf(change))
    await failOnce('sync', 'EIO')
    expect(await outcome(LogWriter.reopen(path, LOG_FACTS, end))).toBeInstanceOf(FileFailedError)
  })
})
