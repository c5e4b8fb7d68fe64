import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acquireLock } from '../../src/format/generation/lock.js'
import { listSchema, parquetTable } from '../fixtures/write-parquet.js'
import { onlyJson, randomRows, shardloom, start, writeFvecs } from './shardloom.js'

const COUNT = 400
const DIMENSIONS = 8

let folder: string
let input: string
const inFolder = (name: string): string => path.join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardloom-cli-build-'))
  input = inFolder('rows.fvecs')
  await writeFvecs(input, randomRows(COUNT, DIMENSIONS))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function errorIn(stdout: string): { code: string; message: string } {
  const { error, ...rest } = onlyJson(stdout)
  expect(rest).toEqual({})
  return error as { code: string; message: string }
}

describe('a build that succeeds', () => {
  it.each(['-o', '--output'])('takes %s for --out', async (flag) => {
    const out = inFolder(`alias${flag}.index`)
    expect(await shardloom(['build', input, flag, out, '--quiet'])).toMatchObject({ exitCode: 0, stderr: '' })
    expect(existsSync(path.join(out, 'CURRENT'))).toBe(true)
  })

  it('says when the file has another number of vectors than --count', async () => {
    const out = inFolder('count.index')
    const { stdout, stderr } = await shardloom(['build', input, '-o', out, '--count', '1e2', '--json'])
    const message = `count is 100, and the source has ${COUNT} vectors`
    expect(stderr).toContain(message)
    const { events } = onlyJson(stdout) as { events?: { kind: string; message: string }[] }
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'count', message: expect.stringContaining(message) as string }),
    )
  })

  it('prints a summary and the next command on stdout, and each stage with its seconds on stderr', async () => {
    const out = inFolder('summary index')
    const { exitCode, stdout, stderr } = await shardloom(['build', input, '--out', out])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^vectors +400$/m)
    expect(stdout).toMatch(/^dimensions +8, l2$/m)
    expect(stdout).toMatch(/^recall@10 +[01]\.\d{4}, (good|fair|poor) \(ef 64, against exact search, 95% interval /m)
    expect(stdout).toMatch(/^self-recall +1\.0000 /m)
    expect(stdout).toMatch(/^reachable +400 of 400 \(\d+ repaired\)$/m)
    expect(stdout).toContain(`next: shardloom search '${out}' --queries FILE -k 10`)
    for (const stage of [
      'plan',
      'ingest',
      'route',
      'assign nodes',
      'shards',
      'merge',
      'upper levels',
      'prove',
      'publish',
    ]) {
      expect(stderr).toMatch(new RegExp(`^stage ${stage}: \\d+\\.\\d\\d s$`, 'm'))
    }
    expect(stderr + stdout).not.toContain('\u001B')
  })

  it('prints the report, and only that, on stdout with --json', async () => {
    const out = inFolder('json.index')
    const { exitCode, stdout, stderr } = await shardloom(['build', input, '--out', out, '--json', '--threads', '1'])
    expect(exitCode).toBe(0)
    const report = onlyJson(stdout)
    expect(report).toMatchObject({ count: COUNT, dimensions: DIMENSIONS, reachable: COUNT, threads: 1, path: out })
    for (const key of ['skipped', 'metric', 'engine', 'seconds', 'stages', 'peakRssBytes', 'spilledBytes', 'diskBytes',
      'repaired', 'recallAt10', 'selfRecall', 'averageDegree', 'generation', 'events']) {
      expect(report).toHaveProperty(key)
    } // prettier-ignore
    expect(stderr).toContain('stage publish')
  })

  it('takes several inputs and patterns as one, with ids from a column', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => [Math.sin(i), Math.cos(i), i % 7, i % 3])
    const schema = listSchema('embedding')
    for (const part of [0, 1, 2]) {
      const mine = rows.slice(100 * part, 100 * part + 100)
      const ids = mine.map((_, i) => `doc ${100 * part + i}`)
      const id = { schema: [{ name: 'id', type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const }], data: ids }
      await writeFile(inFolder(`part-${part}.parquet`), parquetTable({ columns: [id, { schema, data: mine }] }))
    }
    const first = inFolder('part-2.parquet')
    const args = ['build', first, inFolder('part-[01].parquet'), '--id-column', 'id', '--out', inFolder('parts.index')]
    const { exitCode, stdout } = await shardloom([...args, '--vector-column', 'embedding', '--json'])
    expect(exitCode).toBe(0)
    expect(onlyJson(stdout)).toMatchObject({ count: 300, dimensions: 4 })
  })

  it('says nothing with --quiet', async () => {
    const ended = await shardloom(['build', input, '--out', inFolder('quiet.index'), '--quiet'])
    expect(ended).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })

  it('passes every flag on', async () => {
    const out = inFolder('flags.index')
    const tempDir = inFolder('temp')
    const args = ['--metric', 'cosine', '--m', '8', '--seed', '7', '--engine', 'hnswlib-wasm', '--quality', 'high']
    const more = ['--memory', '400MB', '--temp-dir', tempDir, '--queue-bytes', '0', '--min-recall', '0.1', '--json']
    const { exitCode, stdout } = await shardloom(['build', input, '--out', out, ...args, ...more])
    expect(exitCode).toBe(0)
    const report = onlyJson(stdout)
    expect(report).toMatchObject({ metric: 'cosine', m: 8, seed: 7, engine: 'hnswlib-wasm', memoryBytes: 400e6 })
    expect(report['spilledBytes']).toBeGreaterThan(0)
    expect(await readdir(tempDir)).toEqual([])
  })

  it('reads JSON lines from standard input', async () => {
    const lines = randomRows(50, 4).map((vector, i) => JSON.stringify({ id: `doc-${i}`, vector: [...vector] }))
    const out = inFolder('stdin.index')
    const built = await shardloom(['build', '-', '--out', out, '--json'], { stdin: lines.join('\n') })
    expect(built.exitCode).toBe(0)
    expect(onlyJson(built.stdout)).toMatchObject({ count: 50, dimensions: 4 })
    const found = await shardloom(['search', out, '--queries', '-', '-k', '1', '--json'], { stdin: lines[17] })
    expect(onlyJson(found.stdout)['results']).toEqual([[{ id: 'doc-17', distance: 0 }]])
  })

  it('shows what was skipped, as warnings and in the summary', async () => {
    const lines = [
      '{"id":1,"vector":[1,0]}',
      '{"id":2,"vector":[0,0]}',
      '{"id":3,"vector":[0,1]}',
      '{"id":3,"vector":[1,1]}',
    ]
    const args = ['build', '-', '--out', inFolder('skip.index'), '--metric', 'cosine', '--invalid', 'skip']
    const { exitCode, stdout, stderr } = await shardloom([...args, '--duplicates', 'last'], { stdin: lines.join('\n') })
    expect(exitCode).toBe(0)
    expect(stderr.match(/^warning: .*$/gm)).toHaveLength(2)
    expect(stderr).toMatch(/^warning: vector 1 is all zeros/m)
    expect(stdout).toMatch(/^vectors +2 \(skipped: 1 invalid, 1 with a repeated id\)$/m)
    expect(stdout).toMatch(/^notes +2 warnings, above$/m)
  })

  it('keeps the number of old generations that was asked for', async () => {
    const out = inFolder('generations.index')
    for (let i = 0; i < 3; i++) await shardloom(['build', input, '--out', out, '--quiet', '--keep-generations', '0'])
    expect((await readdir(out)).sort()).toEqual(['CURRENT', 'gen-000003'])
  })
})

describe('a build that is refused', () => {
  const refused = async (args: readonly string[], stdin?: string): Promise<{ code: string; message: string }> => {
    const { exitCode, stdout, stderr } = await shardloom(
      ['build', ...args, '--json'],
      stdin === undefined ? {} : { stdin },
    )
    const error = errorIn(stdout)
    expect(stderr).toContain(`error: ${error.message}`)
    expect(exitCode).toBe(2)
    return error
  }

  it('ends with 2 and names the flag, what was expected and what was got', async () => {
    const out = ['--out', inFolder('never')]
    const bad = [
      [['--m', '3'], '--m must be an integer from 4 to 64, got "3"'],
      [['--threads', '1.5'], '--threads must be an integer from 1 to 1024, got "1.5"'],
      [['--metric', 'L2'], '--metric must be one of l2, cosine, ip, got "L2"'],
      [['--memory', 'lots'], '--memory must be a size such as 512MB, 2GB or 1.5GiB, got "lots"'],
      [['--min-recall', '95'], '--min-recall must be a number from 0 to 1, got "95"'],
    ] as const
    for (const [flags, message] of bad) {
      expect(await refused([input, ...out, ...flags])).toEqual({ code: 'SHARDLOOM_INVALID_OPTION', message })
    }
  })

  it('ends with 2 for wrong usage', async () => {
    const missing = await refused([input])
    expect(missing).toMatchObject({ code: 'SHARDLOOM_INVALID_OPTION' })
    expect(missing.message).toContain('no index directory: pass --out DIR')
    expect(missing.message).toContain('see shardloom build --help')
    expect((await refused([input, '--out', 'x', '--metrics', 'l2'])).message).toMatch(
      /unknown option '--metrics'.*--metric/,
    )
    expect((await refused(['--out', 'x'])).message).toContain('no input: name files of vectors')
  })

  it('ends with 2 for a file that does not exist', async () => {
    const { code, message } = await refused([inFolder('absent.npy'), '--out', inFolder('never')])
    expect(code).toBe('SHARDLOOM_PATH')
    expect(message).toContain('absent.npy: there is no such file')
  })

  it('ends with 2 for vectors that cannot be used', async () => {
    const out = ['--out', inFolder('never'), '--metric', 'cosine']
    const zero = await refused(['-', ...out], '{"vector":[1,2]}\n{"vector":[0,0]}\n')
    expect(zero.code).toBe('SHARDLOOM_INVALID_VECTOR')
    const short = await refused(['-', ...out], '{"vector":[1,2]}\n{"vector":[3]}\n')
    expect(short.code).toBe('SHARDLOOM_DIMENSION_MISMATCH')
    const twice = await refused(['-', ...out], '{"id":"a","vector":[1,2]}\n{"id":"a","vector":[3,4]}\n')
    expect(twice.code).toBe('SHARDLOOM_DUPLICATE_ID')
    expect((await refused(['-', ...out], '')).code).toBe('SHARDLOOM_EMPTY_SOURCE')
    expect((await refused([input, ...out, '--dimensions', '9'])).code).toBe('SHARDLOOM_DIMENSION_MISMATCH')
    expect(existsSync(inFolder('never'))).toBe(false)
  })

  it('ends with 3 for too little memory, with the bytes needed and available, and leaves nothing behind', async () => {
    const args = ['build', input, '--out', inFolder('never'), '--memory', '70MB', '--json']
    const { exitCode, stdout } = await shardloom(args)
    expect(exitCode).toBe(3)
    const { code, message } = errorIn(stdout)
    expect(code).toBe('SHARDLOOM_INSUFFICIENT_MEMORY')
    expect(message).toMatch(/needs \d+ MB \(\d+ bytes\) and 70 MB \(70000000 bytes\) are available/)
    expect(existsSync(inFolder('never'))).toBe(false)
  })

  it('ends with 3 before a row is read when the header of the file has too many', async () => {
    const huge = inFolder('huge.npy')
    const [rows, dimensions] = [100_000_000, 8]
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`.padEnd(117) + '\n'
    await writeFile(huge, Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(header)]))
    // The rows are a hole in the file: reading 3.2 GB would take longer than a test may.
    await truncate(huge, 10 + header.length + rows * dimensions * 4)
    const args = ['build', huge, '--out', inFolder('never'), '--memory', '150MB', '--json']
    const { exitCode, stdout, stderr } = await shardloom(args)
    expect({ exitCode, code: errorIn(stdout).code }).toEqual({ exitCode: 3, code: 'SHARDLOOM_INSUFFICIENT_MEMORY' })
    expect(stderr).not.toContain('stage ingest')
  })

  it('ends with 1 while another build holds the index', async () => {
    const out = inFolder('locked.index')
    const lock = await acquireLock(out)
    try {
      const { exitCode, stdout } = await shardloom(['build', input, '--out', out, '--json'])
      expect(exitCode).toBe(1)
      expect(errorIn(stdout).code).toBe('SHARDLOOM_INDEX_LOCKED')
    } finally {
      await lock.release()
    }
  })

  it('says the message on stderr and nothing on stdout without --json', async () => {
    const { exitCode, stdout, stderr } = await shardloom(['build', inFolder('absent.npy'), '--out', 'never'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toBe(`error: ${inFolder('absent.npy')}: there is no such file\n`)
  })
})

describe('a build that is interrupted', () => {
  const lines = randomRows(20, 4).map((vector) => JSON.stringify({ vector: [...vector] }))

  for (const [signal, expected] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 130],
  ] as const) {
    // prettier-ignore
    it(`ends with ${expected} on ${signal} while it waits for standard input, and leaves nothing behind`, async () => {
      const out = inFolder(`${signal}.index`)
      const running = start(['build', '-', '--out', out, '--json'])
      running.child.stdin.write(`${lines.join('\n')}\n`)
      await running.saidOnStderr('stage plan')
      running.child.kill(signal)
      const { exitCode, stdout, stderr } = await running.ended
      expect(exitCode).toBe(expected)
      expect(errorIn(stdout).code).toBe('SHARDLOOM_ABORTED')
      expect(stderr).toContain('the live generation is unchanged')
      expect(existsSync(out)).toBe(false)
    })
  }

  it('leaves the live generation as it was when workers are ended in the middle; the same command goes on', async () => {
    const out = inFolder('live.index')
    expect((await shardloom(['build', input, '--out', out, '--quiet'])).exitCode).toBe(0)
    const current = await readFile(path.join(out, 'CURRENT'), 'utf8')
    const large = inFolder('large.fvecs')
    await writeFvecs(large, randomRows(20_000, 32))
    const command = ['build', large, '--out', out]
    const interrupted = async (args: readonly string[]): Promise<string> => {
      const running = start(args)
      running.child.stdin.end()
      await running.saidOnStderr('stage assign nodes')
      running.child.kill('SIGINT')
      const { exitCode, stderr } = await running.ended
      expect(exitCode).toBe(130)
      expect(await readFile(path.join(out, 'CURRENT'), 'utf8')).toBe(current)
      expect((await shardloom(['verify', out])).exitCode).toBe(0)
      return stderr
    }
    expect(await interrupted([...command, '--no-resume'])).not.toContain('to go on')
    expect((await readdir(out)).sort()).toEqual(['CURRENT', 'gen-000001'])

    const said = await interrupted(command)
    expect(said).toContain(`to go on, run the same command again: shardloom ${command.join(' ')}`)
    expect(said).toContain('--no-resume starts afresh')
    expect((await readdir(out)).sort()).toEqual(['CURRENT', 'build', 'gen-000001', 'gen-000002'])

    const { stdout } = await shardloom([...command, '--json'])
    expect(onlyJson(stdout)['resumed']).toMatchObject({ vectors: 20_000 })
    expect((await readdir(out)).sort()).toEqual(['CURRENT', 'gen-000001', 'gen-000002'])
  })
})

describe('ids', () => {
  it('come from a text file with --ids', async () => {
    const ids = Array.from({ length: COUNT }, (_, i) => `row ${i}`)
    await writeFile(inFolder('ids.txt'), `${ids.join('\n')}\n`)
    const out = inFolder('ids.index')
    const args = ['build', input, '--ids', inFolder('ids.txt'), '--out', out, '--quiet']
    expect((await shardloom(args)).exitCode).toBe(0)
    const { stdout } = await shardloom(['search', out, '--queries', input, '-k', '1', '--json'])
    const results = onlyJson(stdout)['results'] as { id: string }[][]
    expect(results.slice(0, 3).map((hits) => hits[0].id)).toEqual(['row 0', 'row 1', 'row 2'])
  })

  it('must match the vectors in number', async () => {
    await writeFile(inFolder('few.txt'), 'a\nb\n')
    const args = ['build', input, '--ids', inFolder('few.txt'), '--out', inFolder('never'), '--json']
    const { exitCode, stdout } = await shardloom(args)
    expect(exitCode).toBe(2)
    expect(errorIn(stdout).message).toContain(`it has 2 ids, expected ${COUNT}`)
  })
})
