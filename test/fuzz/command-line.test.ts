/** The command line with the worst files: an exit code, one line that names file and place, and no stack. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { shardloom, start, type Ended } from '../cli/shardloom.js'
import { makeFolder } from '../fixtures/builds.js'
import { fvecs, ivecs, npyHeader, npyWith } from '../fixtures/write-vector-files.js'

const isWindows = process.platform === 'win32'
const rows = Array.from({ length: 300 }, (_, row) => [Math.sin(row), Math.cos(row), row % 7, 1])
let folder: string
let made = 0

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** A sound index to damage. */
function copy(): string {
  const path = join(folder, `copy-${made++}.index`)
  cpSync(join(folder, 'sound.index'), path, { recursive: true })
  return path
}

beforeAll(async () => {
  folder = makeFolder()
  const built = await shardloom([
    'build',
    file('good.fvecs', fvecs(rows)),
    '--out',
    join(folder, 'sound.index'),
    '--quiet',
  ])
  expect(built).toMatchObject({ exitCode: 0, stderr: '' })
})

function expectRefusal({ exitCode, stdout, stderr }: Ended, code: number, message: string): void {
  expect(stderr).toContain(message)
  expect(exitCode).toBe(code)
  expect(stdout).not.toMatch(/^\s+at /m)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stderr.split('\n').filter((line) => line.startsWith('error: '))).toHaveLength(1)
}

describe('shardloom build', () => {
  it.each<[string, () => string, string]>([
    [
      'fvecs of negative dimensions',
      () => file('a.fvecs', Buffer.alloc(20, 0xff)),
      'a.fvecs at byte 0: row 0 has d = -1',
    ],
    [
      'npy of 2^31 rows',
      () => file('b.npy', npyWith(npyHeader('(2147483648, 4)'), Buffer.alloc(16))),
      'b.npy at byte 144: it is truncated',
    ],
    [
      'deep JSON',
      () => file('c.jsonl', `{"vector":[1]}\n${'['.repeat(2e6)}\n`),
      'c.jsonl at byte 15: line 2 is nested deeper than 1000',
    ],
    [
      'bytes that are not text',
      () => file('d.jsonl', Buffer.from([0x7b, 0xff, 0x0a])),
      'd.jsonl at byte 0: line 1 is not UTF-8 text',
    ],
    [
      'a number beyond float32',
      () => file('e.jsonl', '{"vector":[1,1e999]}\n'),
      'vector 0 has a component that is NaN or infinite',
    ],
    [
      'half a surrogate pair as id',
      () => file('f.jsonl', '{"id":"\\ud800","vector":[1]}\n'),
      'has half of a surrogate pair',
    ],
  ])('refuses %s', async (_, make, message) => {
    const out = join(folder, `out-${made++}.index`)
    expectRefusal(await shardloom(['build', make(), '--out', out]), 2, message)
  })

  it.skipIf(isWindows)('refuses a folder whose lock is a named pipe, and names it', async () => {
    const out = join(folder, 'locked.index')
    mkdirSync(join(out, 'build'), { recursive: true })
    execFileSync('mkfifo', [join(out, 'build', 'LOCK')])
    const ended = await shardloom(['build', join(folder, 'good.fvecs'), '--out', out])
    expectRefusal(ended, 2, `${join(out, 'build', 'LOCK')}: this is not a file`)
  })

  it.skipIf(isWindows)('ends when it is interrupted while it waits for a named pipe without a writer', async () => {
    const pipe = join(folder, 'pipe.jsonl')
    execFileSync('mkfifo', [pipe])
    const running = start(['build', pipe, '--out', join(folder, 'piped.index')])
    await running.saidOnStderr('stage plan')
    running.child.kill('SIGINT')
    const [exitCode] = (await once(running.child, 'exit')) as [number | null]
    expect(exitCode).toBe(130)
  })
})

describe('shardloom info, verify and search', () => {
  const damages: [string, (index: string) => void, string][] = [
    ['a truncated manifest', (index) => truncateSync(join(index, 'gen-000001', 'manifest.json'), 100), 'manifest.json'],
    ['a CURRENT of 3 GB', (index) => truncateSync(join(index, 'CURRENT'), 3e9), 'CURRENT'],
    ['a truncated segment', (index) => truncateSync(join(index, 'gen-000001', 'links-000.seg'), 5000), 'links-000.seg'],
    ['a missing segment', (index) => rmSync(join(index, 'gen-000001', 'vectors-000.seg')), 'vectors-000.seg'],
    ...(isWindows
      ? []
      : [
          [
            'an endless CURRENT',
            (index: string) => {
              rmSync(join(index, 'CURRENT'))
              symlinkSync('/dev/zero', join(index, 'CURRENT'))
            },
            'CURRENT',
          ] as [string, (index: string) => void, string],
        ]),
  ]
  it.each(damages)('refuse %s by its name', async (_, hurt, name) => {
    const index = copy()
    hurt(index)
    const query = ['search', index, '--queries', join(folder, 'good.fvecs')]
    for (const args of [['info', index], query]) expectRefusal(await shardloom(args), 4, name)
    const verified = await shardloom(['verify', index])
    expect(verified.exitCode).toBe(4)
    expect(verified.stdout + verified.stderr).toContain(name)
    expect(verified.stderr).not.toMatch(/^\s+at /m)
  })

  it('name the byte of a flipped bit', async () => {
    const index = copy()
    const path = join(index, 'gen-000001', 'vectors-000.seg')
    const bytes = readFileSync(path)
    bytes[5000] ^= 1
    writeFileSync(path, bytes)
    const verified = await shardloom(['verify', index])
    expect(verified.exitCode).toBe(4)
    expect(verified.stdout + verified.stderr).toMatch(/vectors-000\.seg.*at byte \d+/)
  })

  it('refuse lying queries and ground truth by their names', async () => {
    const index = join(folder, 'sound.index')
    const bad = file('q.fvecs', Buffer.concat([fvecs([rows[0]]), Buffer.alloc(20, 0x7f)]))
    expectRefusal(
      await shardloom(['search', index, '--queries', bad]),
      2,
      'q.fvecs at byte 20: row 1 has d = 2139062143',
    )
    const queries = file('one.fvecs', fvecs([rows[0]]))
    const truth = file('t.ivecs', ivecs([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]))
    truncateSync(truth, 4.4e9)
    expectRefusal(
      await shardloom(['search', index, '--queries', queries, '--ground-truth', truth]),
      2,
      't.ivecs: it has 4000000000 bytes of numbers',
    )
  })
})
