import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readParts, writeParts, type Parts } from '../../../src/format/live/parts-file.js'
import { verifyIndex, type VerifyProblem } from '../../../src/format/verify/verify-index.js'
import { createIndex } from '../../../dist/src/index.js'
import { temporaryFolder } from '../../fixtures/index-files.js'
import { liveBatch, makeLiveIndex, openWriter } from '../../fixtures/live-index.js'

const folder = temporaryFolder()
let sound: string
let parts: Parts

beforeAll(async () => {
  sound = folder.path('sound.index')
  await makeLiveIndex(sound)
  const read = await readParts(sound)
  if (read === undefined) throw new Error('it has PARTS')
  parts = read
})

const flat = (): string => parts.parts.find(({ kind }) => kind === 'flat')?.name ?? ''
const graph = (): string => parts.parts.find(({ kind }) => kind === 'graph')?.name ?? ''

/** A copy of the sound index, changed by `damage`, and what is found in it. */
async function problemsAfter(
  damage: (live: string, path: string) => void | Promise<void>,
): Promise<readonly VerifyProblem[]> {
  const path = folder.path('damaged.index')
  rmSync(path, { recursive: true, force: true })
  cpSync(sound, path, { recursive: true })
  await damage(join(path, 'live'), path)
  const { ok, problems, problemCount } = await verifyIndex(path)
  expect(ok).toBe(problemCount === 0)
  return problems
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path)
  bytes[offset] ^= 0x10
  writeFileSync(path, bytes)
}

const newestLog = (live: string): string =>
  join(
    live,
    readdirSync(live)
      .filter((name) => name.startsWith('log-'))
      .sort()
      .at(-1) ?? '',
  )

describe('verifyIndex of an index with changes', () => {
  it('finds no problem in a sound one, and says what it checked', async () => {
    const seen: { name: string; bytesChecked: number; totalBytes: number }[] = []
    const report = await verifyIndex(sound, (progress) => seen.push(progress))
    expect(report).toMatchObject({
      ok: true,
      problems: [],
      count: 200,
      live: { parts: 2, rows: 2150, deletes: 10, logs: 1, changes: 35, sequence: 20 + 30 + 10 + 2100 + 35 },
    })
    expect(report.live).not.toHaveProperty('torn')
    expect(seen.at(-1)?.bytesChecked).toBe(report.bytesChecked)
    expect(seen.every(({ bytesChecked, totalBytes }) => bytesChecked <= totalBytes)).toBe(true)
  })

  it('checks an index that was never built', async () => {
    const path = folder.path('new.index')
    const index = await createIndex(path, { dimensions: 4 })
    await index.upsert(liveBatch(0, 3))
    await index.close()
    expect(await verifyIndex(path)).toMatchObject({
      ok: true,
      generation: undefined,
      count: 0,
      live: { parts: 0, logs: 1, changes: 3, sequence: 3 },
    })
  })

  it('finds no problem in a small part where an id has several vectors', async () => {
    const path = folder.path('repeated.index')
    const index = await createIndex(path, { dimensions: 4, duplicates: 'keep' })
    const ids = ['a', 'b', 'a', 'a']
    await index.upsert({ ids, vectors: Float32Array.from({ length: 16 }, (_, i) => i), dimensions: 4 })
    await index.delete(['b'])
    await index.flush()
    await index.close()
    expect((await readParts(path))?.parts).toMatchObject([{ kind: 'flat', rows: 3 }])
    expect(await verifyIndex(path)).toMatchObject({ ok: true, problems: [], live: { parts: 1, rows: 3, deletes: 1 } })
  })

  it('finds no problem after a compaction, nor before another process has taken it over', async () => {
    const path = folder.path('compacted.index')
    cpSync(sound, path, { recursive: true })
    const index = await openWriter(path)
    await index.compact({ threads: 1 })
    await index.upsert(liveBatch(7000, 2))
    await index.close()
    expect(await verifyIndex(path)).toMatchObject({ ok: true, live: { parts: 0, changes: 2 } })
  })

  it('says that the newest log has a torn end, which is no problem', async () => {
    const path = folder.path('torn.index')
    cpSync(sound, path, { recursive: true })
    const log = newestLog(join(path, 'live'))
    truncateSync(log, readFileSync(log).length - 3)
    const { ok, live } = await verifyIndex(path)
    expect(ok).toBe(true)
    expect(live?.torn).toMatchObject({ path: log, reason: expect.stringContaining('never acknowledged') as string })
  })

  it.each<[string, (live: string) => void, (live: string) => string, RegExp]>([
    ['PARTS', (live) => flip(join(live, 'PARTS'), 30), (live) => join(live, 'PARTS'), /CRC/],
    ['dead rows', (live) => flip(join(live, parts.dead.name), 5), (live) => join(live, parts.dead.name), /CRC/],
    [
      'the rows of a small part',
      (live) => flip(join(live, flat(), 'rows.log'), 300),
      (live) => join(live, flat(), 'rows.log'),
      /CRC/,
    ],
    [
      'its deletes',
      (live) => flip(join(live, flat(), 'deletes.log'), 110),
      (live) => join(live, flat(), 'deletes.log'),
      /CRC/,
    ],
    [
      'the sequences of a large part',
      (live) => flip(join(live, graph(), 'sequences'), 9),
      (live) => join(live, graph(), 'sequences'),
      /CRC/,
    ],
    [
      'the vectors of a large part',
      (live) => flip(join(live, graph(), 'gen-000001', 'vectors-000.seg'), 4100),
      (live) => join(live, graph(), 'gen-000001', 'vectors-000.seg'),
      /checksum|CRC/,
    ],
    ['the header of a log', (live) => flip(newestLog(live), 12), newestLog, /CRC/],
  ])('finds a flipped bit in %s', async (_, damage, where, reason) => {
    let live = ''
    const problems = await problemsAfter((place) => {
      live = place
      damage(place)
    })
    expect(problems).toHaveLength(1)
    expect(problems[0].path).toBe(where(live))
    expect(problems[0].reason).toMatch(reason)
  })

  it('says at which byte a finished log is damaged', async () => {
    const [problem] = await problemsAfter((live) => flip(join(live, flat(), 'rows.log'), 300))
    expect(problem.offset).toBe(64)
  })

  it.each<[string, (live: string) => string]>([
    ['dead rows', (live) => join(live, parts.dead.name)],
    ['the rows of a small part', (live) => join(live, flat(), 'rows.log')],
    ['the deletes of a part', (live) => join(live, flat(), 'deletes.log')],
    ['a large part', (live) => join(live, graph())],
    ['the first log', newestLog],
  ])('misses %s', async (_, what) => {
    const problems = await problemsAfter((live) => rmSync(what(live), { recursive: true }))
    expect(problems.length).toBeGreaterThan(0)
  })

  it.each<[string, (given: Parts) => Parts, RegExp]>([
    ['rows', (given) => withPart(given, 'flat', (part) => ({ rows: part.rows - 1 })), /50 whole rows, PARTS says 49/],
    ['deletes', (given) => withPart(given, 'flat', () => ({ deletes: 11 })), /10 whole rows, PARTS says 11/],
    [
      'sequences',
      (given) => withPart(given, 'flat', () => ({ firstSequence: 2 })),
      /changes 1 to 60, PARTS says 2 to 60/,
    ],
    ['rows of a graph', (given) => withPart(given, 'graph', () => ({ rows: 2101 })), /2100 rows, PARTS says 2101/],
    ['changes', (given) => ({ ...given, coveredSequence: 60 }), /covers changes up to 60/],
    ['changes', (given) => ({ ...given, coveredSequence: 2150 }), /begins with change 2161/],
    [
      'dimensions',
      (given) => ({ ...given, settings: { ...given.settings, dimensions: 5 } }),
      /dimensions 4, expected 5/,
    ],
  ])('finds that PARTS says other %s', async (_, change, reason) => {
    const problems = await problemsAfter((_live, path) => writeParts(path, change(parts)))
    expect(problems.map((problem) => problem.reason).join('\n')).toMatch(reason)
  })

  it('finds that a log does not continue the one before it', async () => {
    const path = folder.path('logs.index')
    cpSync(sound, path, { recursive: true })
    const before = newestLog(join(path, 'live'))
    const kept = readFileSync(before)
    const index = await openWriter(path)
    await index.upsert(liveBatch(8000, 2))
    await index.flush()
    await index.close()
    // The older log as it was before its last change, and PARTS as if it were not sealed.
    writeFileSync(before, kept)
    const number = Number(/log-(\d+)/.exec(before)?.[1])
    await writeParts(path, { ...parts, firstLog: number })
    const { problems } = await verifyIndex(path)
    expect(problems.map((problem) => problem.reason).join('\n')).toMatch(/it follows a log whose chain is/)
  })
})

function withPart(
  given: Parts,
  kind: 'flat' | 'graph',
  change: (part: Parts['parts'][number]) => Partial<Parts['parts'][number]>,
): Parts {
  return { ...given, parts: given.parts.map((part) => (part.kind === kind ? { ...part, ...change(part) } : part)) }
}
