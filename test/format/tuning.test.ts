import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError, PathError } from '../../src/errors.js'
import { crc32 } from '../../spill/files/crc32.js'
import {
  encodeTunings,
  MAX_TUNED_EF,
  MAX_TUNINGS,
  parseTunings,
  readTunings,
  storeTuning,
  TUNING_NAME,
} from '../../src/format/generation/tuning.js'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import type { Tuning } from '../../src/api/measure.js'
import { allBits, temporaryFolder, withEachBitFlipped, writeTinyIndex } from '../fixtures/index-files.js'

const folder = temporaryFolder()
const GENERATION = 'gen-000001'

const tuning = (change: Partial<Tuning> = {}): Tuning => ({
  k: 10,
  targetRecall: 0.95,
  ef: 37,
  recall: 0.9512,
  queries: 500,
  source: 'sampled',
  tunedAt: '2026-01-31T12:00:00.000Z',
  ...change,
})

async function emptyFolder(name: string): Promise<string> {
  await mkdir(folder.path(name))
  return folder.path(name)
}

describe('stored choices of ef', () => {
  it('are empty when nothing was stored', async () => {
    expect(await readTunings(await emptyFolder('none'), GENERATION)).toEqual([])
  })

  it('are read by ascending k, the last stored for each k', async () => {
    const directory = await emptyFolder('back')
    await storeTuning(directory, GENERATION, tuning({ k: 100, ef: 200 }))
    await storeTuning(directory, GENERATION, tuning({ ef: 50 }))
    const stored = await storeTuning(directory, GENERATION, tuning({ ef: 60, source: 'given' }))
    expect(stored).toEqual([tuning({ ef: 60, source: 'given' }), tuning({ k: 100, ef: 200 })])
    expect(await readTunings(directory, GENERATION)).toEqual(stored)
    expect(await readdir(directory)).toEqual([TUNING_NAME])
  })

  it('make room for a new one by dropping the oldest', async () => {
    const directory = await emptyFolder('many')
    const time = (i: number): string => new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString()
    // The largest k was chosen first.
    const many = Array.from({ length: MAX_TUNINGS }, (_, i) => tuning({ k: 1 + i, tunedAt: time(MAX_TUNINGS - i) }))
    await writeFile(join(directory, TUNING_NAME), encodeTunings(GENERATION, many))
    const stored = await storeTuning(directory, GENERATION, tuning({ k: 1000, tunedAt: time(1000) }))
    expect(stored.map(({ k }) => k)).toEqual([...many.slice(0, -1).map(({ k }) => k), 1000])
  })

  it('are refused, with the path, when the folder is gone', async () => {
    const directory = await emptyFolder('gone')
    await rm(directory, { recursive: true })
    const stored: unknown = await storeTuning(directory, GENERATION, tuning()).catch((error: unknown) => error)
    expect(stored).toBeInstanceOf(PathError)
  })

  it('are refused with any flipped bit, and nothing is added to them', async () => {
    const directory = await emptyFolder('flipped')
    await storeTuning(directory, GENERATION, tuning())
    const path = join(directory, TUNING_NAME)
    await withEachBitFlipped(path, allBits(encodeTunings(GENERATION, [tuning()]).length), async () => {
      await expect(readTunings(directory, GENERATION)).rejects.toThrow(CorruptIndexError)
    })
    await writeFile(path, 'x')
    await expect(storeTuning(directory, GENERATION, tuning())).rejects.toThrow('this file can be deleted')
  })

  it('are refused as a folder, as an endless file, and when they are too large', async () => {
    const directory = await emptyFolder('odd')
    const path = join(directory, TUNING_NAME)
    await mkdir(path)
    await expect(readTunings(directory, GENERATION)).rejects.toThrow('this is not a file')
    await rm(path, { recursive: true })
    await symlink('/dev/zero', path)
    await expect(readTunings(directory, GENERATION)).rejects.toThrow('this is not a file')
    await rm(path)
    await writeFile(path, new Uint8Array(65 * 1024))
    await expect(readTunings(directory, GENERATION)).rejects.toThrow('expected at most 65536')
  })

  it.each([
    ['another generation', { generation: 'gen-000002' }],
    ['another version', { formatVersion: 2 }],
    ['an unknown key', { more: 1 }],
    ['no list', { tunings: {} }],
    ['too many', { tunings: Array.from({ length: MAX_TUNINGS + 1 }, (_, i) => tuning({ k: i + 1 })) }],
    ['the same k twice', { tunings: [tuning(), tuning()] }],
    ['descending k', { tunings: [tuning({ k: 11 }), tuning()] }],
    ['k of 0', { tunings: [tuning({ k: 0 })] }],
    ['a beam wider than is ever tried', { tunings: [tuning({ ef: MAX_TUNED_EF + 1 })] }],
    ['a beam of no width', { tunings: [tuning({ ef: 0 })] }],
    ['a broken ef', { tunings: [tuning({ ef: 1.5 })] }],
    ['recall above 1', { tunings: [tuning({ recall: 1.01 })] }],
    ['recall below the target', { tunings: [tuning({ recall: 0.9 })] }],
    ['no queries', { tunings: [tuning({ queries: 0 })] }],
    ['an unknown source', { tunings: [{ ...tuning(), source: 'guessed' }] }],
    ['no time', { tunings: [tuning({ tunedAt: 'yesterday' })] }],
    ['null', { tunings: [null] }],
  ])('are refused under a correct checksum with %s', (_, change) => {
    const json = JSON.stringify({ formatVersion: 1, generation: GENERATION, tunings: [tuning()], ...change })
    const crc = crc32(Buffer.from(json)).toString(16).padStart(8, '0')
    const bytes = Buffer.from(`${crc} ${json}\n`)
    expect(() => parseTunings(bytes, GENERATION, 'TUNING')).toThrow(CorruptIndexError)
  })

  it('are read in the form of docs/format.md', () => {
    const text = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')
    const line = /^[0-9a-f]{8} \{"formatVersion".*\n/m.exec(text)?.[0] ?? ''
    expect(parseTunings(Buffer.from(line), 'gen-000004', 'TUNING')).toEqual([tuning()])
  })

  it('may be as wide as k', () => {
    const wide = [tuning({ k: 9000, ef: 9000 })]
    expect(parseTunings(encodeTunings(GENERATION, wide), GENERATION, 'TUNING')).toEqual(wide)
  })
})

describe('verifyIndex', () => {
  it('checks stored choices, and reports neither them nor files of a dead process as unlisted', async () => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path('verified'))
    const before = await verifyIndex(indexDir)
    await storeTuning(directory, manifest.generation, tuning())
    await writeFile(join(directory, 'TUNING.00000000-0000-4000-8000-000000000000.tmp'), 'x')
    const report = await verifyIndex(indexDir)
    expect(report).toMatchObject({ ok: true, problems: [], filesChecked: before.filesChecked + 1 })
  })

  it('finds damaged choices', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('damaged'))
    await writeFile(join(directory, TUNING_NAME), encodeTunings('gen-000777', [tuning()]))
    const { problems } = await verifyIndex(indexDir)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ path: join(directory, TUNING_NAME) })
    expect(problems[0].reason).toContain('field generation must be')
  })
})
