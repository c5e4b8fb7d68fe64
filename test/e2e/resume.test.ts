/** Builds that are killed or stopped, and go on: the same bytes as a build that nobody disturbed. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AbortedError,
  buildIndex,
  verifyIndex,
  type BuildOptions,
  type BuildReport,
  type StageName,
  type VectorRecord,
} from '../../dist/src/index.js'
import { fvecs } from '../fixtures/write-vector-files.js'
import {
  batches,
  build,
  concatRows,
  contentsOf,
  makeFolder,
  makeRows,
  randomNumbers,
  randomRows,
  readExample,
  records,
  rowOf,
  segmentsOf,
  type Rows,
} from '../fixtures/builds.js'
import { some, WHOLE } from '../whole.js'

const CHILD = fileURLToPath(new URL('resume-child.mjs', import.meta.url))

interface Ended {
  readonly killed: boolean
  readonly report: BuildReport
  readonly asked: readonly number[]
}

async function runChild(task: object): Promise<Ended> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended))
  })
  if (signal === 'SIGKILL') return { killed: true, report: {} as BuildReport, asked: [] }
  if (code !== 0) throw new Error(`the child ended with ${code}: ${stderr}`)
  return { killed: false, ...(JSON.parse(stdout) as { report: BuildReport; asked: number[] }) }
}

/** SIFT of the examples, and as many rows of other images: 5 shards, 3 segments. */
async function twentyThousand(): Promise<Rows> {
  const sift = await readExample('sift10k_base.bvecs')
  const turned = makeRows(sift.count, sift.dimensions, (row, d) => rowOf(sift, row)[(d & ~7) | ((d + 4) & 7)])
  return concatRows(sift, turned)
}

describe('a build that is killed', () => {
  let input: string
  let ids: string
  let expected: Record<string, string>
  const rows = 20_000

  beforeAll(async () => {
    const folder = makeFolder()
    const sift = await twentyThousand()
    input = join(folder, 'sift.fvecs')
    ids = join(folder, 'ids.txt')
    writeFileSync(input, fvecs(Array.from({ length: sift.count }, (_, row) => Array.from(rowOf(sift, row)))))
    writeFileSync(ids, Array.from({ length: sift.count }, (_, row) => `sift-${row}\n`).join(''))
    expected = segmentsOf(await build(batches(sift, (row) => `sift-${row}`)))
  })

  async function checked(path: string, { report }: { report: BuildReport }): Promise<void> {
    const said = report.events.map(({ message }) => message).join('\n')
    expect(segmentsOf({ path, report }), said).toEqual(expected)
    expect(await verifyIndex(path)).toMatchObject({ ok: true, count: rows })
    expect(readdirSync(path).sort()).toEqual(['CURRENT', report.generation])
  }

  const points: {
    when: string
    kill: object
    resumed: { vectors: number; shards: number; segments: number } | undefined
    asked: readonly number[]
  }[] = [
    {
      when: 'while its source is read',
      kill: { killAfter: { kind: 'ingest', nth: 3 } },
      resumed: { vectors: 6096, shards: 0, segments: 0 },
      asked: [6096],
    },
    {
      when: 'when its source has ended',
      kill: { killAfter: { kind: 'ingest', nth: 1, ended: true } },
      resumed: { vectors: rows, shards: 0, segments: 0 },
      asked: [],
    },
    {
      when: 'before its first shard',
      kill: { killAfter: { kind: 'routing', nth: 1 } },
      resumed: { vectors: rows, shards: 0, segments: 0 },
      asked: [],
    },
    {
      when: 'after its second shard',
      kill: { killAfter: { kind: 'shard', nth: 2 } },
      resumed: { vectors: rows, shards: 2, segments: 0 },
      asked: [],
    },
    {
      when: 'after its first segment',
      kill: { killAfter: { kind: 'segment', nth: 1 } },
      resumed: { vectors: rows, shards: 5, segments: 1 },
      asked: [],
    },
    {
      when: 'in its upper levels',
      kill: { killInStage: 'upper levels' },
      resumed: { vectors: rows, shards: 5, segments: 3 },
      asked: [],
    },
    { when: 'just after it was published', kill: { killInStage: 'publish' }, resumed: undefined, asked: [0] },
  ]

  it.each(some(points, 3))('$when goes on from its last finished unit', async ({ kill, resumed, asked }) => {
    const path = join(makeFolder(), 'an.index')
    // One thread: no second unit ends while the first one's entry is on its way.
    const options = { path, threads: 1, keepGenerations: 0 }
    expect((await runChild({ input, ids, options, ...kill })).killed).toBe(true)
    const second = await runChild({ input, ids, options })
    expect(second.asked).toEqual(asked)
    if (resumed === undefined) expect(second.report).not.toHaveProperty('resumed')
    else expect(second.report.resumed).toMatchObject(resumed)
    expect(second.report.events.some(({ kind }) => kind === (resumed ? 'resumed' : 'fresh-start'))).toBe(true)
    await checked(path, second)
  })

  it.runIf(WHOLE)('again and again, with other memory and threads each time, ends with the same bytes', async () => {
    const path = join(makeFolder(), 'an.index')
    const tempDir = join(makeFolder(), 'temp')
    const turns: [object, Partial<BuildOptions>][] = [
      [{ killAfter: { kind: 'ingest', nth: 2 } }, { memory: '200MB' }],
      [{ killAfter: { kind: 'ingest', nth: 4 } }, { memory: '4GB' }],
      [{ killAfter: { kind: 'shard', nth: 1 } }, { queueBytes: 0 }],
      [{ killAfter: { kind: 'shard', nth: 2 } }, { threads: 1 }],
      [{ killAfter: { kind: 'segment', nth: 1 } }, { memory: '300MB' }],
      [{ killInStage: 'prove' }, {}],
    ]
    for (const [kill, options] of turns) {
      expect((await runChild({ input, ids, options: { path, tempDir, ...options }, ...kill })).killed).toBe(true)
    }
    const last = await runChild({ input, ids, options: { path, tempDir } })
    expect(last.report.resumed).toMatchObject({ vectors: rows, shards: 5, segments: 3 })
    await checked(path, last)
    expect(readdirSync(tempDir)).toEqual([])
  })

  it.each(
    some(
      [
        ['vectors of a shard', /^gen-\d+\/vectors-000\.seg$/, 'shard'],
        ['graph rows of a shard', /^build\/spill\/base-graph-0\.rows$/, 'shard 0'],
        ['links of a segment', /^gen-\d+\/links-000\.seg$/, 'links segment 0'],
        ['ingested rows', /^build\/spill\/ingest-000000\.spill$/, 'vectors'],
      ] as const,
      4,
    ),
  )('does not trust damaged %s: they are made again', async (_, name, told) => {
    const path = join(makeFolder(), 'an.index')
    const options = { path, keepGenerations: 0 }
    expect((await runChild({ input, ids, options, killInStage: 'upper levels' })).killed).toBe(true)
    const file = readdirSync(path, { recursive: true, encoding: 'utf8' }).find((found) => name.test(found))
    if (file === undefined) throw new Error(`no file like ${name.source}`)
    const bytes = readFileSync(join(path, file))
    bytes[5000] ^= 4
    writeFileSync(join(path, file), bytes)
    const second = await runChild({ input, ids, options })
    const partly = second.report.events.filter(({ kind }) => kind === 'resume-partly')
    expect(partly.map(({ message }) => message).join()).toContain(told)
    await checked(path, second)
  })

  it.each(
    some<[string, object, string]>(
      [
        ['another seed', { seed: 2 }, 'its options were'],
        ['another source', { sourceFingerprint: 'changed' }, 'the source is not the same any more'],
        ['resume: false', { resume: false }, 'resuming is off'],
      ],
      3,
    ),
  )('begins afresh with %s, and says why', async (_, changed, why) => {
    const path = join(makeFolder(), 'an.index')
    expect((await runChild({ input, ids, options: { path }, killAfter: { kind: 'shard', nth: 1 } })).killed).toBe(true)
    const { report, asked } = await runChild({ input, ids, options: { path, ...changed } })
    expect(asked).toEqual([0])
    expect(report).not.toHaveProperty('resumed')
    expect(report.events.find(({ kind }) => kind === 'fresh-start')?.message).toContain(why)
    expect(readdirSync(path).sort()).toEqual(['CURRENT', report.generation])
  })

  it.runIf(WHOLE)('begins afresh when the journal is of another version, or cannot be read', async () => {
    const path = join(makeFolder(), 'an.index')
    const journal = join(path, 'build', 'journal')
    for (const damage of [(text: string): string => text.replace(/^\w/, '-'), (): string => '']) {
      expect((await runChild({ input, ids, options: { path }, killAfter: { kind: 'shard', nth: 1 } })).killed).toBe(
        true,
      )
      writeFileSync(journal, damage(readFileSync(journal, 'utf8')))
      const { asked, report } = await runChild({ input, ids, options: { path, keepGenerations: 0 } })
      expect(asked).toEqual([0])
      await checked(path, { report })
    }
  })
})

async function failureOf(building: Promise<unknown>): Promise<unknown> {
  return building.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a build that is stopped', () => {
  const data = randomRows(3000, 16, 1)
  const stages: StageName[] = [
    'ingest',
    'route',
    'assign nodes',
    'shards',
    'merge',
    'upper levels',
    'quantize',
    'prove',
  ]

  function* from(startAt: number, most = Number.POSITIVE_INFINITY): Generator<VectorRecord> {
    let row = 0
    for (const record of records(data)) {
      if (row >= most) throw new Error('the source broke')
      if (row++ >= startAt) yield record
    }
  }

  it.each(some(stages, 4))('in stage %s by its AbortSignal goes on from there', async (stage) => {
    const whole = segmentsOf(await build(records(data), { quantization: 'pq' }))
    const path = join(makeFolder(), 'an.index')
    const controller = new AbortController()
    const onProgress = (event: { stage: StageName }): void => {
      if (event.stage === stage) controller.abort()
    }
    const stopped = await failureOf(
      buildIndex((startAt) => from(startAt), { path, quantization: 'pq', signal: controller.signal, onProgress }),
    )
    expect(stopped).toBeInstanceOf(AbortedError)
    const { report } = await build((startAt) => from(startAt), { path, quantization: 'pq' })
    expect(report.resumed?.vectors).toBeGreaterThan(0)
    expect(segmentsOf({ path, report })).toEqual(whole)
  })

  it('goes on beside a CURRENT that is damaged, and replaces it', async () => {
    const path = join(makeFolder(), 'an.index')
    await build(records(randomRows(50, 4, 2)), { path })
    expect(await failureOf(buildIndex((startAt) => from(startAt, 1234), { path }))).toBeDefined()
    writeFileSync(join(path, 'CURRENT'), 'gen-0000')
    const { report } = await build((startAt) => from(startAt), { path })
    expect(report.resumed).toMatchObject({ vectors: 1234 })
    expect(report.generation).toBe('gen-000002')
  })

  it('begins afresh beside a damaged CURRENT that may have named it, and does not touch what it published', async () => {
    const path = join(makeFolder(), 'an.index')
    const journal = join(path, 'build', 'journal')
    expect(await failureOf(buildIndex((startAt) => from(startAt, 1234), { path }))).toBeDefined()
    const kept = readFileSync(journal)
    const first = await build((startAt) => from(startAt), { path })
    const published = contentsOf(join(path, first.report.generation))
    // As if the process had died right after the switch, and the disk had lost CURRENT.
    mkdirSync(join(path, 'build'))
    writeFileSync(journal, kept)
    writeFileSync(join(path, 'CURRENT'), '')
    const { report } = await build((startAt) => from(startAt), { path })
    expect(report).not.toHaveProperty('resumed')
    expect(report.generation).not.toBe(first.report.generation)
    expect(contentsOf(join(path, first.report.generation))).toEqual(published)
  })

  it('by an error of its source goes on behind the last record it gave', async () => {
    const path = join(makeFolder(), 'an.index')
    expect(await failureOf(buildIndex((startAt) => from(startAt, 1234), { path }))).toMatchObject({
      code: 'SHARDLOOM_SOURCE_FAILED',
    })
    const asked: number[] = []
    const { report } = await build((startAt) => (asked.push(startAt), from(startAt)), { path })
    expect(asked).toEqual([1234])
    expect(report.resumed).toMatchObject({ vectors: 1234 })
    expect(segmentsOf({ path, report })).toEqual(segmentsOf(await build(records(data))))
  })

  it('remembers vectors that were skipped, and finds ids that repeat over the gap', async () => {
    const random = randomNumbers(5)
    const odd = Array.from({ length: 2000 }, (_, row): VectorRecord => {
      const vector = Float32Array.from({ length: 8 }, () => random() - 0.5)
      if (row % 7 === 3) vector[2] = Number.NaN
      return { id: row % 10 === 9 ? `id ${row - 1500}` : `id ${row}`, vector }
    })
    const options = { metric: 'ip', invalid: 'skip', duplicates: 'last' } as const
    const whole = await build(odd, options)
    for (const stopAt of some([4, 1, 3, 1000, 1999], 5)) {
      const path = join(makeFolder(), 'an.index')
      function* broken(): Generator<VectorRecord> {
        yield* odd.slice(0, stopAt)
        throw new Error('the source broke')
      }
      expect(await failureOf(buildIndex(() => broken(), { ...options, path }))).toBeDefined()
      const { report } = await build((startAt) => odd.slice(startAt), { ...options, path })
      expect(report.resumed?.vectors).toBe(stopAt)
      expect([report.skippedInvalid, report.skippedDuplicates]).toEqual([
        whole.report.skippedInvalid,
        whole.report.skippedDuplicates,
      ])
      expect(segmentsOf({ path, report })).toEqual(segmentsOf(whole))
    }
  })

  it('by bad input keeps nothing', async () => {
    const path = join(makeFolder(), 'an.index')
    const bad = [{ vector: [1, 2] }, { vector: [1, Number.NaN] }]
    expect(await failureOf(buildIndex((startAt) => bad.slice(startAt), { path }))).toMatchObject({ exitCode: 2 })
    expect(existsSync(path)).toBe(false)
  })

  it('with a plain iterable keeps nothing, and discards what another build kept', async () => {
    const path = join(makeFolder(), 'an.index')
    await failureOf(buildIndex((startAt) => from(startAt, 1234), { path }))
    expect(existsSync(join(path, 'build', 'journal'))).toBe(true)
    await failureOf(buildIndex(from(0, 1234), { path }))
    expect(existsSync(join(path, 'build'))).toBe(false)
    expect(readdirSync(path)).toEqual([])
  })
})
