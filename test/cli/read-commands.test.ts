import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exactNeighbours, onlyJson, randomRows, shardloom, start, writeFvecs, writeIvecs } from './shardloom.js'

const COUNT = 300
const QUERIES = 20
const DIMENSIONS = 8

let folder: string
/** Row numbers as ids, and text ids from `ids.txt`. */
let byRow: string
let byName: string
let queries: string
let groundTruth: string
let ids: string
const inFolder = (name: string): string => path.join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardloom-cli-read-'))
  const rows = randomRows(COUNT, DIMENSIONS)
  const queryRows = randomRows(QUERIES, DIMENSIONS, 99)
  byRow = inFolder('row.index')
  byName = inFolder('name.index')
  queries = inFolder('queries.fvecs')
  groundTruth = inFolder('truth.ivecs')
  ids = inFolder('ids.txt')
  const base = inFolder('base.fvecs')
  await writeFvecs(base, rows)
  await writeFvecs(queries, queryRows)
  await writeIvecs(groundTruth, exactNeighbours(rows, queryRows, 10))
  await writeFile(ids, rows.map((_, i) => `name-${i}`).join('\n'))
  const built = [
    await shardloom(['build', base, '--out', byRow, '--quiet']),
    await shardloom(['build', base, '--ids', ids, '--out', byName, '--quiet']),
  ]
  expect(built.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([
    { exitCode: 0, stderr: '' },
    { exitCode: 0, stderr: '' },
  ])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function failure(args: readonly string[]): Promise<{ exitCode: number | null; code: string; message: string }> {
  const { exitCode, stdout } = await shardloom([...args, '--json'])
  const { code, message } = onlyJson(stdout)['error'] as { code: string; message: string }
  return { exitCode, code, message }
}

describe('search', () => {
  it('takes the queries as an argument in place of the flag, not as both', async () => {
    const { exitCode, stdout } = await shardloom(['search', byRow, queries, '-k', '5', '--json'])
    expect(exitCode).toBe(0)
    expect(onlyJson(stdout)['results']).toHaveLength(QUERIES)
    const both = await failure(['search', byRow, queries, '--queries', queries])
    expect(both.message).toContain('--queries <FILE> and the argument')
    const neither = await failure(['search', byRow])
    expect(neither).toMatchObject({ exitCode: 2, message: expect.stringContaining("'--queries <FILE>'") as string })
  })

  it('says the ef that was used when the given one is below k', async () => {
    const args = ['search', byRow, queries, '-k', '50', '--ef', '10']
    const { stdout, stderr } = await shardloom(args)
    expect(stdout).toContain('k 50, ef 50')
    expect(stderr).toContain('ef 10 is below k 50, and 50 is used')
    expect(onlyJson((await shardloom([...args, '--json'])).stdout)['ef']).toBe(50)
  })

  it('answers every query and measures with --json', async () => {
    const { exitCode, stdout, stderr } = await shardloom(['search', byRow, '--queries', queries, '-k', '5', '--json'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const report = onlyJson(stdout)
    expect(Object.keys(report)).toEqual(['results', 'ef', 'queriesPerSecond', 'p50Ms', 'p99Ms'])
    const results = report['results'] as { id: number; distance: number }[][]
    expect(results.map((hits) => hits.length)).toEqual(Array.from({ length: QUERIES }, () => 5))
    for (const hits of results) expect(hits.map(({ distance }) => distance)).toEqual(hits.map((h) => h.distance).sort())
    expect(report['p99Ms']).toBeGreaterThanOrEqual(report['p50Ms'] as number)
  })

  it('measures recall against row numbers', async () => {
    const args = ['search', byRow, '--queries', queries, '--ground-truth', groundTruth, '--ef', '300', '--json']
    expect(onlyJson((await shardloom(args)).stdout)['recall']).toBe(1)
  })

  it('maps row numbers to the ids given at build time with --ids', async () => {
    const args = ['search', byName, '--queries', queries, '--ground-truth', groundTruth, '--ef', '300']
    expect(onlyJson((await shardloom([...args, '--ids', ids, '--json'])).stdout)['recall']).toBe(1)
    const { exitCode, message } = await failure(args)
    expect(exitCode).toBe(2)
    expect(message).toMatch(/by row number, and this index has other ids, such as "name-\d+"; give --ids FILE/)
  })

  it('prints the first neighbours and the figures', async () => {
    const { stdout } = await shardloom(['search', byName, '--queries', queries])
    expect(stdout).toMatch(/^query 0\n +name-\d+ +\d\.\d{4}$/m)
    expect(stdout).toContain('… and 17 more; --json prints all')
    expect(stdout).toMatch(/^queries +20, k 10, ef 64$/m)
    expect(stdout).toMatch(/^speed +[\d,.]+ queries\/s, one thread$/m)
    expect(stdout).toMatch(/^latency +p50 \d+\.\d{3} ms, p99 \d+\.\d{3} ms$/m)
  })

  it('refuses ground truth that does not fit the queries or k', async () => {
    const args = ['search', byRow, '--queries', queries, '--ground-truth', groundTruth]
    const deep = await failure([...args, '-k', '11'])
    expect(deep.message).toContain('it has 10 neighbours of each query, and recall@11 needs 11')
    await writeIvecs(inFolder('short.ivecs'), [[1, 2, 3]])
    const short = await failure([
      'search',
      byRow,
      '--queries',
      queries,
      '--ground-truth',
      inFolder('short.ivecs'),
      '-k',
      '3',
    ])
    expect(short).toMatchObject({ exitCode: 2, code: 'SHARDLOOM_INVALID_FILE' })
    expect(short.message).toContain('it has neighbours of 1 queries, expected 20')
  })

  it('ends with 2 for queries of another length', async () => {
    await writeFvecs(inFolder('wide.fvecs'), randomRows(2, DIMENSIONS + 1))
    expect(await failure(['search', byRow, '--queries', inFolder('wide.fvecs')])).toMatchObject({
      exitCode: 2,
      code: 'SHARDLOOM_DIMENSION_MISMATCH',
      message: 'query 0 has 9 dimensions, expected 8',
    })
  })

  it('ends with 2 for a folder without an index', async () => {
    const { exitCode, code } = await failure(['search', inFolder('nothing'), '--queries', queries])
    expect({ exitCode, code }).toEqual({ exitCode: 2, code: 'SHARDLOOM_PATH' })
  })

  it('ends quietly when the reader of stdout leaves', async () => {
    const { child, ended } = start(['search', byRow, '--queries', queries, '-k', '300', '--json'])
    child.stdin.end()
    child.stdout.destroy()
    const { exitCode, stderr } = await ended
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })
})

describe('info', () => {
  it('says what the index is', async () => {
    const { exitCode, stdout } = await shardloom(['info', byRow])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^vectors +300$/m)
    expect(stdout).toMatch(/^dimensions +8, l2$/m)
    expect(stdout).toMatch(/^self-recall +1\.0000, ef 64$/m)
    expect(stdout).toMatch(/^ {2}links +[\d.]+ kB +1 file$/m)
  })

  it('prints facts, sizes by kind and the report with --json', async () => {
    const info = onlyJson((await shardloom(['info', byRow, '--json'])).stdout)
    expect(info).toMatchObject({
      path: byRow,
      generation: 'gen-000001',
      count: COUNT,
      dimensions: DIMENSIONS,
      metric: 'l2',
    })
    expect(info['report']).toMatchObject({ count: COUNT })
    const files = info['files'] as Record<string, { files: number; bytes: number }>
    expect(files['vectors']).toMatchObject({ files: 1 })
    const sum = Object.values(files).reduce((bytes, kind) => bytes + kind.bytes, 0)
    expect(info['diskBytes']).toBe(sum)
  })
})

describe('verify', () => {
  it('says ok, with what was checked', async () => {
    const { exitCode, stdout } = await shardloom(['verify', byName])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok: .*name\.index \(gen-000001\): 300 vectors, \d+ files, .* and [\d,]+ links checked\n$/)
    expect(onlyJson((await shardloom(['verify', byName, '--json'])).stdout)).toMatchObject({ ok: true, problems: [] })
  })

  it('ends with 4 and lists the problems when a byte is damaged', async () => {
    const generation = path.join(byName, 'gen-000001')
    const name = (await readdir(generation)).find((file) => file.startsWith('vectors')) ?? ''
    await flipByte(path.join(generation, name), 5000)

    const human = await shardloom(['verify', byName])
    expect(human.exitCode).toBe(4)
    expect(human.stdout).toContain(name)
    expect(human.stdout).toMatch(/^not ok: .* 1 problem; rebuild the index or restore it from a copy$/m)

    const json = await shardloom(['verify', byName, '--json'])
    expect(json.exitCode).toBe(4)
    const report = onlyJson(json.stdout)
    expect(report).toMatchObject({ ok: false, problemCount: 1, error: { code: 'SHARDLOOM_CORRUPT_INDEX' } })

    const search = await failure(['search', byName, '--queries', queries])
    expect(search).toMatchObject({ exitCode: 4, code: 'SHARDLOOM_CORRUPT_INDEX' })
    await flipByte(path.join(generation, name), 5000)
    expect((await shardloom(['verify', byName])).exitCode).toBe(0)
  })

  it('ends with 2 for a folder without a build', async () => {
    expect((await shardloom(['verify', inFolder('nothing')])).exitCode).toBe(2)
  })
})

async function flipByte(file: string, offset: number): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, offset)
    byte[0] ^= 1
    await handle.write(byte, 0, 1, offset)
  } finally {
    await handle.close()
  }
}

describe('estimate', () => {
  it('prints memory by stage', async () => {
    const { exitCode, stdout } = await shardloom(['estimate', '--count', '1000000', '--dimensions', '128'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^vectors +1,000,000 x 128 dimensions$/m)
    expect(stdout).toMatch(/^ {2}shards +[\d.]+ [MG]B$/m)
  })

  it('prints the memory of searches with each quantization, and the one that fits', async () => {
    const args = ['estimate', '--count', '1000000', '--dimensions', '128', '--memory', '500MB', '--quantization', 'sq8']
    const { stdout } = await shardloom(args)
    expect(stdout).toMatch(/^ {2}quantize +[\d.]+ [MG]B$/m)
    expect(stdout).toMatch(/^ {2}f32 +\d+ MB$/m)
    expect(stdout).toMatch(/^ {2}f16 +\d+ MB {2}fits {2}recall@10 up to 0.001 lower$/m)
    expect(stdout).not.toMatch(/^ {2}binary/m)
    expect(stdout).toMatch(/^suggested: f16: \d+ MB of 500 MB/m)
    expect(onlyJson((await shardloom([...args, '--json'])).stdout)).toMatchObject({
      suggestedQuantization: { suggestion: 'f16', quantizations: [{ quantization: 'f32', fits: false }, {}, {}, {}] },
    })
  })

  it('says with --json that a build would not fit, and ends with 0', async () => {
    const args = ['estimate', '--count', '1000000', '--dimensions', '128', '--memory', '70MB', '--json']
    const { exitCode, stdout } = await shardloom(args)
    expect(exitCode).toBe(0)
    const estimate = onlyJson(stdout)
    expect(estimate).toMatchObject({ fits: false, budgetBytes: 70e6 })
    expect(estimate['minimumBytes']).toBeGreaterThan(70e6)
  })

  it('needs count and dimensions', async () => {
    expect(await failure(['estimate', '--count', '5'])).toMatchObject({ exitCode: 2, code: 'SHARDLOOM_INVALID_OPTION' })
    expect((await failure(['estimate', '--count', '1e12', '--dimensions', '8'])).message).toBe(
      '--count must be an integer from 1 to 4294967294, got "1e12"',
    )
  })
})

describe('the command line as a whole', () => {
  it('prints version and help and ends with 0', async () => {
    expect((await shardloom(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    for (const command of [[], ['build'], ['search'], ['recall'], ['info'], ['verify'], ['estimate']]) {
      const { exitCode, stdout, stderr } = await shardloom([...command, '--help'])
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(stdout).toContain('Examples:')
    }
  })

  it('shows its help on stderr and ends with 2 without a command', async () => {
    const { exitCode, stdout, stderr } = await shardloom([])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: shardloom/)
  })

  it('ends with 2 for an unknown command', async () => {
    expect((await failure(['destroy'])).message).toContain("unknown command 'destroy'")
  })
})
