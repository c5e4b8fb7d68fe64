/** Builds that resume from damaged files end with the correct bytes or a typed error, never with a wrong index. */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeEntry, parseJournal, type UnitEntry } from '../../dist/src/pipeline/resume/journal.js'
import { AbortedError, buildIndex, ShardloomError, type BuildReport, type VectorRecord } from '../../dist/src/index.js'
import { makeFolder, randomRows, records, segmentsOf } from '../fixtures/builds.js'
import { damage, type Damage } from './damage.js'
import { runs, some, WHOLE } from '../whole.js'

const isWindows = process.platform === 'win32'
const data = randomRows(1500, 12, 7)
let interrupted: string
let expected: Record<string, string>

function* from(startAt: number): Generator<VectorRecord> {
  let row = 0
  for (const record of records(data, (i) => `id ${i}`)) if (row++ >= startAt) yield record
}

function build(path: string, signal?: AbortSignal): Promise<BuildReport> {
  return buildIndex((startAt) => from(startAt), {
    path,
    threads: 1,
    keepGenerations: 0,
    ...(signal && { signal }),
  })
}

beforeAll(async () => {
  interrupted = join(makeFolder(), 'an.index')
  const controller = new AbortController()
  const stopped = await buildIndex((startAt) => from(startAt), {
    path: interrupted,
    threads: 1,
    signal: controller.signal,
    onProgress: ({ stage }) => {
      if (stage === 'prove') controller.abort()
    },
  }).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(stopped).toBeInstanceOf(AbortedError)
  const whole = join(makeFolder(), 'whole.index')
  expected = segmentsOf({ path: whole, report: await build(whole) })
})

/** All files that a build resumes from. */
const FILES = [
  'build/journal',
  'build/spill/ingest-000000.spill',
  'build/spill/ids-000000.spill',
  'build/spill/base-graph-0.rows',
  'gen-000001/vectors-000.seg',
  'gen-000001/links-000.seg',
] as const

function copy(): string {
  const path = join(makeFolder(), 'an.index')
  cpSync(interrupted, path, { recursive: true })
  return path
}

/** Much longer than such a build takes. */
const HANG_MS = 60_000

/** Resumes the build; a typed error may end it once, and then the same command must succeed. */
async function goesOn(path: string): Promise<BuildReport> {
  const signal = AbortSignal.timeout(HANG_MS)
  const report = await build(path, signal).catch((error: unknown) => {
    if (!(error instanceof ShardloomError) || error instanceof AbortedError) throw error
    return build(path, signal)
  })
  expect(segmentsOf({ path, report })).toEqual(expected)
  expect(readdirSync(path).sort()).toEqual(['CURRENT', report.generation])
  return report
}

describe('a build', () => {
  it('resumes from all the files that this test damages', async () => {
    const path = copy()
    for (const file of FILES) expect(existsSync(join(path, file)), file).toBe(true)
    const { resumed } = await goesOn(path)
    expect(resumed).toMatchObject({ vectors: 1500, shards: 1, segments: 1 })
  })

  it('that finds one or two damaged files ends with the same bytes', async () => {
    const one = fc.tuple(fc.constantFrom(...FILES), damage)
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(one, fc.option(one), async (first, second) => {
        const path = copy()
        for (const [file, hurt] of [first, second].filter(
          (it): it is [(typeof FILES)[number], Damage] => it !== null,
        )) {
          writeFileSync(join(path, file), hurt(readFileSync(join(path, file))))
        }
        const { resumed } = await goesOn(path)
        seen.add(resumed === undefined ? 'afresh' : `${resumed.vectors > 0} ${resumed.shards} ${resumed.segments}`)
        rmSync(path, { recursive: true })
      }),
      { numRuns: runs(40), seed: 41, endOnFailure: true },
    )
    // Some went on without their shard, some without their segment, some began again.
    if (WHOLE) expect([...seen]).toEqual(expect.arrayContaining(['afresh', 'true 0 1', 'true 1 0']))
  })

  it.each(some(FILES, 2))('that finds no %s ends with the same bytes', async (file) => {
    const path = copy()
    rmSync(join(path, file))
    await goesOn(path)
  })

  it.skipIf(isWindows).each(some(FILES, 4))(
    'that finds a folder, a pipe or a link as %s ends with the same bytes',
    async (file) => {
      const theirs = join(makeFolder(), 'theirs')
      writeFileSync(theirs, 'not ours')
      for (const make of [
        (path: string) => mkdirSync(join(path, 'inner'), { recursive: true }),
        (path: string) => execFileSync('mkfifo', [path]),
        (path: string) => symlinkSync(theirs, path),
      ]) {
        const path = copy()
        rmSync(join(path, file))
        make(join(path, file))
        await goesOn(path)
      }
      expect(readFileSync(theirs, 'utf8')).toBe('not ours')
    },
  )

  it.skipIf(isWindows).each(['gen-000001', 'build/spill'])(
    'that finds its %s behind a link starts again, and leaves its target unchanged',
    async (folder) => {
      const path = copy()
      const theirs = join(makeFolder(), 'theirs')
      renameSync(join(path, folder), theirs)
      writeFileSync(join(theirs, 'manifest.json'), 'theirs')
      symlinkSync(theirs, join(path, folder))
      const before = readdirSync(theirs).sort()
      const report = await build(path)
      expect(report).not.toHaveProperty('resumed')
      expect(segmentsOf({ path, report })).toEqual(expected)
      expect(readdirSync(theirs).sort()).toEqual(before)
    },
  )

  it.each<[string, object]>([
    ['more vectors than there are', { ordinals: 1501 }],
    ['2^32 - 1 vectors', { ordinals: 2 ** 32 - 1 }],
    ['no vector', { ordinals: 0 }],
    ['2^32 - 1 batches', { rowBatches: 2 ** 32 - 1 }],
    ['no batch', { rowBatches: 0 }],
    ['no batch of ids', { idBatches: 0 }],
    ['a batch of ids too many', { idBatches: 9 }],
    ['rows of one component', { dimensions: 1 }],
    ['rows of 65,536 components', { dimensions: 65_536 }],
    ['vectors that were skipped', { skippedInvalid: 7 }],
  ])('whose journal claims %s under correct checksums ends with the same bytes', async (_, lie) => {
    const path = copy()
    const journal = join(path, 'build', 'journal')
    const read = parseJournal(readFileSync(journal))
    if (read === undefined) throw new Error('no journal')
    const entries = read.entries.map((entry): UnitEntry => (entry.kind === 'ingest' ? { ...entry, ...lie } : entry))
    writeFileSync(journal, [read.begin, ...entries].map(encodeEntry).join(''))
    await goesOn(path)
  })

  it.each<[string, (generation: string) => string]>([
    ['../theirs', () => '../theirs'],
    ['gen-000001/..', () => 'gen-000001/..'],
    ['sixteen digits', () => `gen-${'9'.repeat(16)}`],
    ['an empty name', () => ''],
  ])('whose journal names %s as its folder starts again in the right one', async (_, name) => {
    const path = copy()
    const journal = join(path, 'build', 'journal')
    const read = parseJournal(readFileSync(journal))
    if (read === undefined) throw new Error('no journal')
    const begin = { ...read.begin, generation: name(read.begin.generation) }
    writeFileSync(journal, [begin, ...read.entries].map(encodeEntry).join(''))
    mkdirSync(join(path, '..', 'theirs'))
    writeFileSync(join(path, '..', 'theirs', 'manifest.json'), 'theirs')
    const report = await build(path)
    expect(report).not.toHaveProperty('resumed')
    expect(segmentsOf({ path, report })).toEqual(expected)
    expect(readFileSync(join(path, '..', 'theirs', 'manifest.json'), 'utf8')).toBe('theirs')
  })
})
