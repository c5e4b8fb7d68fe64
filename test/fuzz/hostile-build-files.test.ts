/** Files of an interrupted build, damaged by a disk or written by an attacker under correct checksums. */
import { execFileSync } from 'node:child_process'
import { lutimes, mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_BATCH_BYTES, type Batch } from '../../spill/batch.js'
import { decodeFrame, encodeFrame, FRAME_PREFIX_BYTES, padded } from '../../spill/files/frame.js'
import { crc32 } from '../../spill/files/crc32.js'
import { checkQueue, cutQueue } from '../../spill/files/recover-queue.js'
import { readBatches } from '../../spill/read-batches.js'
import { recoverSpillFile } from '../../spill/files/recover-spill-file.js'
import {
  encodeEntry,
  JOURNAL_FORMAT,
  parseJournal,
  readJournal,
  type BeginEntry,
  type UnitEntry,
} from '../../src/pipeline/resume/journal.js'
import { CorruptSpillError, IndexLockedError, PathError } from '../../src/errors.js'
import { acquireLock } from '../../src/format/generation/lock.js'
import { readCurrent } from '../../src/format/generation/current.js'
import { makeBatch, snapshot, type TestHeader } from '../fixtures/batches.js'
import { damage, HOSTILE_WORDS, outcome, refusal } from './damage.js'
import { runs } from '../whole.js'

const isWindows = process.platform === 'win32'

let root: string
let made = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-hostile-build-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function makeFolder(): Promise<string> {
  const folder = join(root, String(made++))
  await mkdir(folder)
  return folder
}

/** Entries in place of a file: none is a file, and two are endless. */
const NO_FILES: readonly [what: string, make: (path: string) => unknown][] = [
  ['a folder', (path) => mkdir(join(path, 'inner'), { recursive: true })],
  ['a named pipe', (path) => execFileSync('mkfifo', [path])],
  ['a link to an endless device', (path) => symlink('/dev/zero', path)],
  ['a link to nowhere', (path) => symlink('/nowhere/at/all', path)],
  ['a link to itself', (path) => symlink(path, path)],
]

const begin: BeginEntry = {
  kind: 'begin',
  format: JOURNAL_FORMAT,
  version: '1.2.3',
  options: '{"metric":"l2"}',
  source: 'a source',
  generation: 'gen-000001',
  tempDir: '',
  startedAt: '2026-01-01T00:00:00.000Z',
}
const units: readonly UnitEntry[] = [
  {
    kind: 'ingest',
    ordinals: 100,
    rowBatches: 2,
    idBatches: 1,
    dimensions: 8,
    idsGiven: false,
    skippedInvalid: 0,
    maxSquaredNorm: 1.5,
    ended: true,
  },
  { kind: 'routing', digest: 7 },
  { kind: 'shard', shard: 1, crc: 2, rowsBytes: 3 },
  { kind: 'segment', segment: 4, crc: 5, degreeSum: 6 },
]
const journal = Buffer.from([begin, ...units].map(encodeEntry).join(''))

/** Any line under a correct checksum. */
function line(json: string): string {
  return `${crc32(Buffer.from(json)).toString(16).padStart(8, '0')} ${json}\n`
}

describe('a journal', () => {
  it('with any damage gives its first entries, or none', () => {
    fc.assert(
      fc.property(damage, (hurt) => {
        const read = parseJournal(hurt(journal))
        if (read === undefined) return
        expect(read.begin).toEqual(begin)
        // Lines that the damage repeated are whole lines too.
        for (const [i, entry] of read.entries.entries()) {
          if (i < units.length) expect(units).toContainEqual(entry)
        }
      }),
      { numRuns: runs(2000), seed: 21 },
    )
  })

  it.each<[string, object]>([
    ['an ordinal beyond 32 bits', { ...units[0], ordinals: 2 ** 32 }],
    ['a number that is not exact', { ...units[0], ordinals: 2 ** 60 }],
    ['no dimensions', { ...units[0], dimensions: 0 }],
    ['negative dimensions', { ...units[0], dimensions: -1 }],
    ['more dimensions than a vector has', { ...units[0], dimensions: 65_537 }],
    ['a negative norm', { ...units[0], maxSquaredNorm: -1 }],
    ['a negative shard', { ...units[2], shard: -1 }],
    ['a shard beyond 32 bits', { ...units[2], shard: 2 ** 31 * 2 }],
    ['half a segment', { ...units[3], segment: 0.5 }],
    ['a checksum beyond 32 bits', { ...units[3], crc: 2 ** 32 }],
    ['a field that no build writes', { ...units[1], more: 'x' }],
    ['an unknown kind', { ...units[1], kind: '__proto__' }],
    ['another beginning', begin],
  ])('ends before a line with %s', (_, entry) => {
    const bytes = Buffer.from(encodeEntry(begin) + line(JSON.stringify(entry)) + encodeEntry(units[1]))
    expect(parseJournal(bytes)).toEqual({ begin, entries: [], bytes: encodeEntry(begin).length })
  })

  it.each<[string, string]>([
    ['no JSON', '{"kind":'],
    ['a number', '7'],
    ['a number that is infinite', '{"kind":"routing","digest":1e999}'],
    ['a prototype', '{"kind":"routing","__proto__":{"digest":1}}'],
    ['a field twice', '{"kind":"routing","digest":1,"digest":-1}'],
    ['100,000 brackets', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['100,000 brackets in a field', `{"kind":"routing","digest":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['bytes that are not text', '{"kind":"routing","digest":\ufffd\u0000}'],
  ])('ends before a line that is %s', (_, json) => {
    const bytes = Buffer.from(encodeEntry(begin) + line(json) + encodeEntry(units[1]))
    expect(parseJournal(bytes)?.entries).toEqual([])
  })

  it('ends before a line above 1 MiB, which JSON.parse could turn into gigabytes', () => {
    const long = { ...begin, source: 'x'.repeat(2 ** 20) }
    expect(parseJournal(Buffer.from(encodeEntry(long)))).toBeUndefined()
    const fits = { ...begin, source: 'x'.repeat(2 ** 19) }
    expect(parseJournal(Buffer.from(encodeEntry(fits)))?.begin).toEqual(fits)
  })

  it('above the size limit is not read', async () => {
    const path = join(await makeFolder(), 'journal')
    await writeFile(path, journal)
    await grow(path, 3e9)
    const before = process.memoryUsage().arrayBuffers
    expect(await readJournal(path)).toBeUndefined()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })

  it.skipIf(isWindows).each(NO_FILES)('that is %s is ignored without waiting', async (_, make) => {
    const path = join(await makeFolder(), 'journal')
    await make(path)
    expect(await outcome(readJournal(path))).toBeUndefined()
  })
})

async function grow(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.truncate(bytes)
  await handle.close()
}

describe('CURRENT', () => {
  it('with any damage is refused, or names only a generation', async () => {
    const folder = await makeFolder()
    const path = join(folder, 'CURRENT')
    await fc.assert(
      fc.asyncProperty(damage, async (hurt) => {
        await writeFile(path, hurt(Buffer.from('gen-000001 0123abcd\n')))
        const read = await outcome(readCurrent(folder))
        if (read instanceof Error) expect(read.message).toContain(path)
        else expect(read?.generation).toMatch(/^gen-\d{6,15}$/)
      }),
      { numRuns: runs(300), seed: 22 },
    )
  })
})

describe('a lock', () => {
  const sound = {
    pid: 1,
    host: 'elsewhere',
    since: '2026-01-31T12:00:00.000Z',
    processStart: null,
    token: 'theirs',
  }

  async function planted(text: string | Buffer): Promise<string> {
    const folder = await makeFolder()
    await mkdir(join(folder, 'build'))
    await writeFile(join(folder, 'build', 'LOCK'), text)
    return folder
  }

  // Concurrent: an unreadable lock has a second to be written.
  it.concurrent('with any damage holds, or is taken over', async () => {
    const text = Buffer.from(JSON.stringify(sound))
    const taken = await Promise.all(
      fc.sample(damage, { numRuns: runs(60), seed: 23 }).map(async (hurt) => {
        const lock = await outcome(acquireLock(await planted(hurt(text))))
        if (lock instanceof Error) expect(lock).toBeInstanceOf(IndexLockedError)
        else await lock.release()
        return !(lock instanceof Error)
      }),
    )
    expect(new Set(taken)).toEqual(new Set([true, false]))
  })

  it.concurrent.each<[string, object]>([
    ['a process number that no process has', { pid: 2 ** 40 }],
    ['a negative process number', { pid: -1 }],
    ['control characters to show', { host: '\u001b[2J', since: '\u0007' }],
  ])('with %s is taken over', async (_, change) => {
    await (await acquireLock(await planted(JSON.stringify({ ...sound, ...change })))).release()
  })

  it('above the size of a lock is neither read nor removed', async () => {
    const folder = await planted(JSON.stringify(sound))
    const path = join(folder, 'build', 'LOCK')
    await grow(path, 3e9)
    const error = await refusal(acquireLock(folder), path)
    expect(error).toBeInstanceOf(PathError)
    expect(error.message).toContain('3000000000 bytes, expected at most 4096')
    expect((await stat(path)).size).toBe(3e9)
  })

  it.skipIf(isWindows).each(NO_FILES)('that is %s is refused without waiting', async (_, make) => {
    const folder = await makeFolder()
    const path = join(folder, 'build', 'LOCK')
    await mkdir(join(folder, 'build'))
    await make(path)
    const error = await refusal(acquireLock(folder), path)
    expect(error).toBeInstanceOf(PathError)
    expect(error.message).toContain('remove it')
  })

  it.skipIf(isWindows).each(NO_FILES)('is left alone when it is released and %s is in its place', async (_, make) => {
    const folder = await makeFolder()
    const path = join(folder, 'build', 'LOCK')
    const lock = await acquireLock(folder)
    await rm(path)
    await make(path)
    await outcome(lock.release())
    expect(await readdir(join(folder, 'build'))).toEqual(['LOCK'])
  })

  it.concurrent.each<[string, number, (path: string) => Promise<unknown>]>([
    ['a folder', -1e9, (path) => mkdir(path)],
    ['a file of the future', 1e9, (path) => writeFile(path, '')],
    ['a link to nowhere', -1e9, (path) => symlink('/nowhere/at/all', path)],
  ])('is taken over when the guard of an earlier takeover is %s', async (_, ageMs, make) => {
    const folder = await planted('torn')
    const guard = join(folder, 'build', 'LOCK.takeover')
    await make(guard)
    const then = new Date(Date.now() + ageMs)
    await lutimes(guard, then, then)
    const lock = await outcome(acquireLock(folder))
    if (lock instanceof Error) throw lock
    await lock.release()
  })
})

/** A frame with any prefix under a correct checksum. */
function frameOf(fields: {
  header: Buffer
  payload: Buffer
  headerBytes?: number
  payloadBytes?: number
  length?: number
  count?: number
}): Buffer {
  const { header, payload, headerBytes = header.length, payloadBytes = payload.length, count = 1 } = fields
  const body = Buffer.alloc(padded(header.length) + padded(payload.length))
  header.copy(body)
  payload.copy(body, padded(header.length))
  const prefix = Buffer.alloc(FRAME_PREFIX_BYTES)
  prefix.writeUInt32LE((fields.length ?? padded(headerBytes) + padded(payloadBytes)) % 2 ** 32, 0)
  prefix.writeUInt32LE(crc32(body), 4)
  prefix.writeUInt32LE(headerBytes, 8)
  prefix.writeUInt32LE(count, 12)
  prefix.writeUInt32LE(payloadBytes, 16)
  prefix.writeUInt32LE(crc32(prefix.subarray(0, 20)), 20)
  return Buffer.concat([prefix, body])
}

const batches = [makeBatch(1, 13), makeBatch(2, 0), makeBatch(3, 16), makeBatch(4, 5)]
const spilled = Buffer.concat(batches.flatMap((batch) => encodeFrame(batch).parts))
const snapshots = batches.map(snapshot)

/** The batches of a file as a resumed build reads them. */
async function recovered(path: string): Promise<unknown[]> {
  const { frames } = await recoverSpillFile(path)
  return Array.from(readBatches<TestHeader>(frames), snapshot)
}

describe('a spill file', () => {
  it('with any damage gives its first batches, or is refused with its name', async () => {
    const path = join(await makeFolder(), 'a.spill')
    await fc.assert(
      fc.asyncProperty(damage, async (hurt) => {
        await writeFile(path, hurt(spilled))
        const got = await outcome(recovered(path))
        if (got instanceof Error) {
          expect(got).toBeInstanceOf(CorruptSpillError)
          expect(got.message).toContain(path)
        } else {
          const whole = got.slice(0, snapshots.length)
          expect(whole).toEqual(snapshots.slice(0, whole.length))
          // Frames that the damage repeated at the end are whole frames too.
          for (const more of got.slice(snapshots.length)) expect(snapshots).toContainEqual(more)
        }
      }),
      { numRuns: runs(600), seed: 24 },
    )
  })

  it('with any lengths under a correct checksum is cut or refused, and takes no memory for them', async () => {
    const path = join(await makeFolder(), 'a.spill')
    const empty = { header: Buffer.of(0xc0), payload: Buffer.alloc(8) }
    const before = process.memoryUsage().arrayBuffers
    for (const headerBytes of HOSTILE_WORDS) {
      for (const payloadBytes of HOSTILE_WORDS) {
        if (headerBytes === 1 && padded(payloadBytes) === 8) continue
        await writeFile(path, Buffer.concat([spilled, frameOf({ ...empty, headerBytes, payloadBytes })]))
        const got = await outcome(recovered(path))
        if (got instanceof Error) expect(got).toMatchObject({ name: 'CorruptSpillError', offset: spilled.length })
        else expect(got).toEqual(snapshots)
      }
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
  })

  it('with a frame larger than any that is written is refused before its body is read', async () => {
    const path = join(await makeFolder(), 'a.spill')
    const header = Buffer.of(0xc0)
    for (const lie of [{ payloadBytes: MAX_BATCH_BYTES + 8 }, { headerBytes: MAX_BATCH_BYTES + 8 }]) {
      await writeFile(path, frameOf({ header, payload: Buffer.alloc(0), ...lie }))
      await grow(path, 2 ** 32)
      expect((await refusal(recoverSpillFile(path), path)).message).toContain('larger than any that is written')
    }
  })

  it.skipIf(isWindows).each(NO_FILES.filter(([what]) => what !== 'a link to nowhere'))(
    'that is %s is refused without waiting',
    async (_, make) => {
      const path = join(await makeFolder(), 'a.spill')
      await make(path)
      expect((await refusal(recoverSpillFile(path), path)).message).toContain('not a file')
    },
  )

  it.skipIf(isWindows)('that is a link does not cut its target', async () => {
    const folder = await makeFolder()
    const theirs = join(folder, 'theirs.txt')
    await writeFile(theirs, 'short')
    await symlink(theirs, join(folder, 'a.spill'))
    await refusal(recoverSpillFile(join(folder, 'a.spill')), folder)
    expect(await readFile(theirs, 'utf8')).toBe('short')
  })
})

describe('the files of a queue', () => {
  it('with any damage give the first batches, and later data is deleted', async () => {
    const folder = await makeFolder()
    const names = ['queue-000000.spill', 'queue-000001.spill', 'queue-000002.spill']
    await fc.assert(
      fc.asyncProperty(fc.nat(2), damage, fc.nat(14), async (which, hurt, most) => {
        for (const [i, name] of names.entries()) {
          await writeFile(join(folder, name), i === which ? hurt(spilled) : spilled)
        }
        const checked = await checkQueue(folder, 'queue', most)
        const wanted = Math.min(most, checked.batches)
        const { files } = await cutQueue(folder, 'queue', checked, wanted)
        const got = Array.from(readBatches<TestHeader>(files.flatMap(({ frames }) => frames)), snapshot)
        expect(got).toHaveLength(wanted)
        const before = got.slice(0, Math.min(wanted, which * batches.length))
        expect(before).toEqual([...snapshots, ...snapshots, ...snapshots].slice(0, before.length))
        for (const batch of got) expect(snapshots).toContainEqual(batch)
        expect((await readdir(folder)).sort()).toEqual(names.slice(0, files.length))
        for (const file of files) expect((await stat(file.path)).size).toBe(file.bytes)
      }),
      { numRuns: runs(300), seed: 25 },
    )
  })

  it.skipIf(isWindows).each(NO_FILES.filter(([what]) => what !== 'a link to nowhere'))(
    'end before %s, which is deleted',
    async (_, make) => {
      const folder = await makeFolder()
      await writeFile(join(folder, 'queue-000000.spill'), spilled)
      await make(join(folder, 'queue-000001.spill'))
      await writeFile(join(folder, 'queue-000002.spill'), spilled)
      const checked = await checkQueue(folder, 'queue', 12)
      expect(checked).toMatchObject({ batches: 4, damage: { code: 'SHARDLOOM_CORRUPT_SPILL' } })
      await cutQueue(folder, 'queue', checked, 3)
      expect(await readdir(folder)).toEqual(['queue-000000.spill'])
    },
  )
})

describe('the header of a frame under a correct checksum', () => {
  const decode = (header: Buffer): Batch => {
    const bytes = frameOf({ header, payload: Buffer.alloc(8) })
    const leadBytes = FRAME_PREFIX_BYTES + padded(header.length)
    const place = { path: 'a.spill', offset: 64 }
    return decodeFrame(
      bytes.subarray(0, leadBytes),
      bytes.subarray(leadBytes),
      { frameBytes: bytes.length, count: 1 },
      place,
    )
  }
  const decoded = async (header: Buffer): Promise<unknown> => decode(header).header
  const later = { capacity: 77, ids: [65, 66, 'a'] }
  const packed = Buffer.from(encode(later))

  it('of any bytes is a value or refused, and does not affect later frames', async () => {
    const value = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.jsonValue({ maxDepth: 4 }), damage).map(([json, hurt]) => hurt(Buffer.from(encode(json)))),
      fc
        .tuple(fc.constantFrom(0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8), fc.uint8Array({ maxLength: 30 }))
        .map(([type, rest]) => Buffer.from([type, ...rest])),
    )
    await fc.assert(
      fc.asyncProperty(value, async (bytes) => {
        const got = await outcome(decoded(bytes))
        if (got instanceof Error) expect(got.message).toContain('a.spill at byte 64')
        expect(decode(packed).header).toEqual(later)
      }),
      { numRuns: runs(3000), seed: 26 },
    )
  })

  it.each<[string, Buffer]>([
    ['a record definition', Buffer.of(0xd4, 0x72, 0x41, 0x91, 0xa1, 0x78, 0x01)],
    ['a regular expression', Buffer.of(0xc7, 5, 0x78, 0x92, 0xa1, 0x61, 0xa1, 0x67)],
    ['an error', Buffer.of(0xc7, 6, 0x65, 0x92, 0xa1, 0x61, 0xa2, 0x67, 0x67)],
    ['a reference to another value', Buffer.of(0xd6, 0x70, 0, 0, 0, 1)],
    ['a bundle of strings', Buffer.of(0xd6, 0x62, 0, 0, 0, 2)],
    ['an array of 2^32 - 1 values', Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map of 2^31 values', Buffer.of(0xdf, 0x80, 0, 0, 0, 1)],
    ['a text of 4 GB', Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61)],
    ['2 million nested arrays', Buffer.concat([Buffer.alloc(2_000_000, 0x91), Buffer.of(0xc0)])],
  ])('that is %s is refused', async (_, header) => {
    await refusal(decoded(header), 'a.spill at byte 64')
    expect(decode(packed).header).toEqual(later)
  })
})
