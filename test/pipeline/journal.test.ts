import { mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  encodeEntry,
  Journal,
  JOURNAL_FORMAT,
  parseJournal,
  readJournal,
  type BeginEntry,
  type UnitEntry,
} from '../../src/pipeline/resume/journal.js'
import { finishedWork } from '../../src/pipeline/resume/resume.js'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function makePath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'journal-test-'))
  folders.push(folder)
  return join(folder, 'journal')
}

const begin: BeginEntry = {
  kind: 'begin',
  format: JOURNAL_FORMAT,
  version: '1.2.3',
  options: '{"metric":"l2"}',
  source: 'naïve\nsource',
  generation: 'gen-000001',
  tempDir: '',
  startedAt: '2026-01-01T00:00:00.000Z',
}

const count = fc.nat(2 ** 31)
const unit: fc.Arbitrary<UnitEntry> = fc.oneof(
  fc.record({ kind: fc.constant('routing' as const), digest: count }),
  fc.record({ kind: fc.constant('shard' as const), shard: count, crc: count, rowsBytes: count }),
  fc.record({ kind: fc.constant('segment' as const), segment: count, crc: count, degreeSum: count }),
  fc.record({
    kind: fc.constant('ingest' as const),
    ordinals: count,
    rowBatches: count,
    idBatches: count,
    dimensions: fc.integer({ min: 1, max: 65_536 }),
    idsGiven: fc.boolean(),
    skippedInvalid: count,
    maxSquaredNorm: fc.double({ min: 0, max: 8e37, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    ended: fc.boolean(),
  }),
)

function textOf(units: readonly UnitEntry[]): Buffer {
  return Buffer.from([begin, ...units].map(encodeEntry).join(''))
}

describe('a journal', () => {
  it('reads back what was appended, and goes on behind it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { maxLength: 8 }), fc.array(unit, { maxLength: 4 }), async (first, later) => {
        const path = await makePath()
        const journal = await Journal.open(path, begin)
        for (const entry of first) journal.append(entry, [])
        await journal.flush()
        await journal.close()
        const read = await readJournal(path)
        expect(read).toMatchObject({ begin, entries: first })
        if (read === undefined) return
        const again = await Journal.open(path, read)
        for (const entry of later) again.append(entry, [])
        await again.close()
        expect((await readJournal(path))?.entries).toEqual([...first, ...later])
      }),
      { numRuns: 30 },
    )
  })

  it('cut at any byte gives the lines before the cut', () => {
    const units: UnitEntry[] = [
      { kind: 'routing', digest: 7 },
      { kind: 'shard', shard: 1, crc: 2, rowsBytes: 3 },
      { kind: 'segment', segment: 4, crc: 5, degreeSum: 6 },
    ]
    const whole = textOf(units)
    const ends = [begin, ...units].map((_, i) => textOf(units.slice(0, i)).length)
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      const read = parseJournal(whole.subarray(0, bytes))
      const lines = ends.filter((end) => end <= bytes).length
      expect(read?.entries, `cut at ${bytes}`).toEqual(lines === 0 ? undefined : units.slice(0, lines - 1))
      if (read !== undefined) expect(read.bytes).toBe(ends[lines - 1])
    }
  })

  it('with any flipped bit gives the lines before the damage, and nothing made up', () => {
    const units: UnitEntry[] = [
      { kind: 'routing', digest: 7 },
      { kind: 'shard', shard: 1, crc: 2, rowsBytes: 3 },
    ]
    const whole = textOf(units)
    const ends = [0, 1, 2].map((lines) => textOf(units.slice(0, lines)).length)
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      const line = ends.findIndex((end) => bit >> 3 < end)
      expect(parseJournal(damaged)?.entries, `bit ${bit}`).toEqual(line === 0 ? undefined : units.slice(0, line - 1))
    }
  })

  it('takes no line whose fields are not of their kind, whatever its checksum says', () => {
    for (const wrong of [
      { kind: 'shard', shard: -1, crc: 2, rowsBytes: 3 },
      { kind: 'shard', shard: 1, crc: 2 },
      { kind: 'constructor' },
      { kind: 'segment', segment: '4', crc: 5, degreeSum: 6 },
      begin,
      [],
      null,
    ]) {
      const bytes = Buffer.concat([textOf([]), Buffer.from(encodeEntry(wrong as UnitEntry)), Buffer.from('junk\n')])
      expect(parseJournal(bytes)?.entries).toEqual([])
    }
    expect(parseJournal(Buffer.from(encodeEntry({ kind: 'routing', digest: 1 })))).toBeUndefined()
  })

  it('loses its torn tail when it goes on', async () => {
    const path = await makePath()
    const units: UnitEntry[] = [{ kind: 'routing', digest: 7 }]
    await writeFile(path, Buffer.concat([textOf(units), Buffer.from('0123abcd {"kind":"sha')]))
    const read = await readJournal(path)
    if (read === undefined) throw new Error('not read')
    const journal = await Journal.open(path, read)
    journal.append({ kind: 'shard', shard: 1, crc: 2, rowsBytes: 3 }, [])
    await journal.close()
    expect(await readFile(path)).toEqual(textOf([...units, { kind: 'shard', shard: 1, crc: 2, rowsBytes: 3 }]))
  })

  it('goes on with a write that the file system cut short', async () => {
    const path = await makePath()
    const journal = await Journal.open(path, begin)
    await journal.flush()
    const handle = await open(path)
    const prototype = Object.getPrototypeOf(handle) as FileHandle
    await handle.close()
    const write = Reflect.get(prototype, 'write') as (...args: unknown[]) => Promise<unknown>
    const short = vi.spyOn(prototype, 'write').mockImplementationOnce(function (
      this: FileHandle,
      bytes: Uint8Array,
      offset: number,
      _: number,
      position: number,
    ) {
      return write.call(this, bytes, offset, 5, position)
    } as never)
    const units: UnitEntry[] = [
      { kind: 'routing', digest: 7 },
      { kind: 'shard', shard: 1, crc: 2, rowsBytes: 3 },
    ]
    for (const entry of units) {
      journal.append(entry, [])
      await journal.flush()
    }
    await journal.close()
    expect(short).toHaveBeenCalledTimes(3)
    short.mockRestore()
    expect((await readJournal(path))?.entries).toEqual(units)
  })

  it('knows whether it has units to go on from', async () => {
    const path = await makePath()
    const journal = await Journal.open(path, begin)
    await journal.flush()
    expect(journal.hasUnits).toBe(false)
    journal.append({ kind: 'routing', digest: 7 }, [])
    await journal.close()
    expect(journal.hasUnits).toBe(true)
    const read = await readJournal(path)
    if (read === undefined) throw new Error('not read')
    const again = await Journal.open(path, read)
    expect(again.hasUnits).toBe(true)
    await again.close()
  })

  it('that is not there, or is a folder, is none', async () => {
    const path = await makePath()
    expect(await readJournal(path)).toBeUndefined()
    expect(await readJournal(join(path, '..'))).toBeUndefined()
  })
})

describe('finished units', () => {
  it('are forgotten when the routing changes, and stay when it is found again', () => {
    const shard = (number: number): UnitEntry => ({ kind: 'shard', shard: number, crc: 1, rowsBytes: 2 })
    const routing = (digest: number): UnitEntry => ({ kind: 'routing', digest })
    const shardsOf = (entries: readonly UnitEntry[]): number[] => [
      ...finishedWork({ begin, entries, bytes: 0 }).shards.keys(),
    ]
    expect(shardsOf([routing(1), shard(4), routing(1), shard(5)])).toEqual([4, 5])
    expect(shardsOf([routing(1), shard(4), routing(2), shard(5)])).toEqual([5])
  })
})
