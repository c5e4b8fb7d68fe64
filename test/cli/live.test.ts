import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openIndex } from '../../dist/src/index.js'
import { onlyJson, randomRows, shardloom, start, writeFvecs } from './shardloom.js'

const DIMENSIONS = 4

let folder: string
const inFolder = (name: string): string => path.join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardloom-cli-live-'))
  await writeFile(inFolder('base.jsonl'), lines(0, 300))
  await writeFile(inFolder('more.jsonl'), lines(290, 30))
  await writeFvecs(inFolder('rows.fvecs'), randomRows(3, DIMENSIONS))
  await writeFvecs(inFolder('wide.fvecs'), randomRows(3, DIMENSIONS + 1))
  await writeFile(inFolder('ids.txt'), '1\n2\n3\n')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** JSON lines with integer ids. */
function lines(first: number, count: number): string {
  const rows = randomRows(count, DIMENSIONS, first + 1)
  return rows.map((row, i) => `${JSON.stringify({ id: first + i, vector: [...row] })}\n`).join('')
}

/** A new index of `base.jsonl`. */
async function built(name: string): Promise<string> {
  const out = inFolder(name)
  const { exitCode, stderr } = await shardloom(['build', inFolder('base.jsonl'), '--out', out, '--quiet'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return out
}

async function json(args: readonly string[], stdin?: string): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await shardloom([...args, '--json'], stdin === undefined ? {} : { stdin })
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
  return onlyJson(stdout)
}

async function failure(args: readonly string[]): Promise<{ exitCode: number | null; code: string; message: string }> {
  const { exitCode, stdout } = await shardloom([...args, '--json'])
  const { code, message } = onlyJson(stdout)['error'] as { code: string; message: string }
  return { exitCode, code, message }
}

describe('upsert and delete', () => {
  it('change an index, which says what is not compacted; compact builds with it, and then has nothing to do', async () => {
    const index = await built('all.index')
    expect(await json(['upsert', index, inFolder('more.jsonl')])).toMatchObject({
      upserted: 30,
      replaced: 10,
      skipped: 0,
      count: 320,
      live: { baseRows: 300, deadRows: 10, memoryRows: 30, compactionDue: false },
    })
    expect(await json(['delete', index, '0', '1', '777'])).toMatchObject({ deleted: 2, missing: 1, count: 318 })
    const changed = await json(['info', index])
    expect(changed).toMatchObject({ count: 300, live: { count: 318, deadRows: 12, memoryRows: 30 } })
    const { stdout } = await shardloom(['info', index])
    expect(stdout).toMatch(/^vectors +318$/m)
    expect(stdout).toMatch(/^compaction +not due \(4% dead, 10% changed; due above 20% of either\)$/m)
    const search = await json(['search', index, '--queries', '-', '-k', '1'], lines(290, 30).split('\n')[10])
    expect((search['results'] as { id: number }[][])[0][0]).toMatchObject({ id: 300, distance: 0 })

    const quiet = await json(['compact', index, '--quiet'])
    expect(quiet).toMatchObject({ compacted: true, count: 318, generation: 'gen-000002' })
    expect(await json(['info', index])).toMatchObject({ count: 318, live: { count: 318, deadRows: 0, parts: 0 } })
    const again = await shardloom(['compact', index])
    expect(again).toMatchObject({ exitCode: 0, stderr: '' })
    expect(again.stdout).toBe(`nothing to compact in ${index}: nothing was changed since it was built\n`)
    expect(await json(['verify', index])).toMatchObject({ ok: true, live: { parts: 0 } })
  })

  it('begin with an empty index, from standard input', async () => {
    const index = inFolder('empty.index')
    expect(await json(['create', index, '--dimensions', String(DIMENSIONS), '--metric', 'cosine'])).toEqual({
      path: index,
      dimensions: DIMENSIONS,
      metric: 'cosine',
    })
    expect((await shardloom(['compact', index])).stdout).toContain('no vector is left in the index')
    expect(await json(['upsert', index, '-'], lines(0, 50))).toMatchObject({ upserted: 50, replaced: 0, count: 50 })
    expect(await json(['info', index])).toMatchObject({ generation: null, live: { count: 50, compactionDue: true } })
    expect((await shardloom(['info', index])).stdout).toMatch(
      /^compaction +due, for the first build: shardloom compact/m,
    )
    expect(await json(['compact', index, '--quiet'])).toMatchObject({ compacted: true, count: 50, metric: 'cosine' })
  })

  it('read ids beside vectors, and ids to delete from a file', async () => {
    const index = inFolder('text.index')
    await json(['create', index, '--dimensions', String(DIMENSIONS)])
    await json(['upsert', index, inFolder('rows.fvecs'), '--ids', inFolder('ids.txt')])
    await writeFile(inFolder('some.jsonl'), '"1"\n"9"\n')
    expect(await json(['delete', index, '--ids', inFolder('some.jsonl')])).toMatchObject({ deleted: 1, missing: 1 })
    // An argument is the id that there is: here the text.
    expect(await json(['delete', index, '2'])).toMatchObject({ deleted: 1, missing: 0, count: 1 })
  })

  it('skip invalid vectors only when asked to', async () => {
    const index = inFolder('skip.index')
    await json(['create', index, '--dimensions', '2', '--metric', 'cosine'])
    const rows = '{"id":"a","vector":[1,2]}\n{"id":"zero","vector":[0,0]}\n{"id":"c","vector":[2,1]}\n'
    await writeFile(inFolder('zero.jsonl'), rows)
    expect(await failure(['upsert', index, inFolder('zero.jsonl')])).toMatchObject({
      exitCode: 2,
      code: 'SHARDLOOM_INVALID_VECTOR',
    })
    expect(await json(['upsert', index, inFolder('zero.jsonl'), '--invalid', 'skip'])).toMatchObject({
      upserted: 2,
      skipped: 1,
      count: 2,
    })
  })

  it('keep what was written when they are interrupted', async () => {
    const index = inFolder('cut.index')
    await json(['create', index, '--dimensions', '256'])
    const running = start(['upsert', index, '-'])
    // A batch is 1,024 rows of 1 MiB: two of them are written, and the pipe stays open.
    for (let id = 0; id < 2100; id++) {
      const vector = Array.from({ length: 256 }, (_, i) => (id * 7 + i * 3) % 11)
      running.child.stdin.write(`${JSON.stringify({ id, vector })}\n`)
    }
    const reader = await openIndex(index)
    while (reader.count < 1024) await reader.refresh()
    await reader.close()
    running.child.kill('SIGINT')
    const { exitCode, stderr } = await running.ended
    expect(exitCode).toBe(130)
    const [, said] = /upsert was interrupted; ([\d,]+) vectors had been upserted/.exec(stderr) ?? []
    expect((await json(['info', index]))['live']).toMatchObject({ count: Number(said.replaceAll(',', '')) })
  })
})

describe('mistakes', () => {
  let index = ''
  beforeAll(async () => {
    index = await built('mistakes.index')
  })

  it.each<[string, () => string[], RegExp]>([
    ['no index', () => ['upsert', inFolder('no'), inFolder('more.jsonl')], /shardloom create \S+no --dimensions N/],
    ['a file first', () => ['upsert', inFolder('more.jsonl'), index], /the index directory comes first/],
    ['no input', () => ['upsert', index], /no input: name files of vectors after the index/],
    ['no ids', () => ['upsert', index, inFolder('rows.fvecs')], /pass --ids FILE, or --id-column NAME/],
    ['other dimensions', () => ['upsert', index, inFolder('wide.fvecs')], /5 dimensions, and those of .* have 4/],
    ['ids for vectors', () => ['upsert', index, inFolder('ids.txt')], /an id on each line, .* pass it as --ids/],
    [
      'text for integers',
      () => ['upsert', index, inFolder('rows.fvecs'), '--ids', inFolder('ids.txt')],
      /are text, and .* has them as integers/,
    ],
    ['text for integers', () => ['delete', index, '--ids', inFolder('ids.txt')], /a file named \.jsonl/],
    ['nothing to delete', () => ['delete', index], /no ids: name them after the index/],
    ['a file without --ids', () => ['delete', index, inFolder('ids.txt')], /pass it as --ids/],
    ['no index', () => ['delete', inFolder('no'), '1'], /there is no index here/],
    ['no index', () => ['compact', inFolder('no')], /there is no index here/],
    ['an index there', () => ['create', index, '--dimensions', '4'], /there is an index already/],
    [
      'a metric that does not fit',
      () => ['create', inFolder('b.index'), '--dimensions', '256', '--quantization', 'binary'],
      /needs metric 'cosine'/,
    ],
  ])('of %s are named with their fix, and change nothing', async (_, args, message) => {
    const { exitCode, message: said } = await failure(args())
    expect(exitCode).toBe(2)
    expect(said).toMatch(message)
    expect(await json(['info', index])).toMatchObject({ count: 300 })
    expect((await shardloom(['compact', index])).stdout).toContain('nothing was changed')
  })

  it('are those of a second writer, which is told who writes', async () => {
    const writer = await openIndex(index, { write: true })
    try {
      const { exitCode, code } = await failure(['upsert', index, inFolder('more.jsonl')])
      expect({ exitCode, code }).toEqual({ exitCode: 1, code: 'SHARDLOOM_INDEX_LOCKED' })
    } finally {
      await writer.close()
    }
  })
})

describe('compact', () => {
  it('works beside a process that writes: what that has sealed is built, the rest stays on top', async () => {
    const index = await built('beside.index')
    const writer = await openIndex(index, { write: true })
    try {
      await writer.upsert({ id: 1000, vector: [9, 9, 9, 9] })
      const nothing = await shardloom(['compact', index])
      expect(nothing).toMatchObject({ exitCode: 0 })
      expect(nothing.stdout).toContain('the process that writes to it has sealed nothing since the last build')
      await writer.flush()
      await writer.upsert({ id: 1001, vector: [8, 8, 8, 8] })
      expect(await json(['compact', index, '--quiet'])).toMatchObject({ compacted: true, count: 301 })
      expect(writer.count).toBe(302)
      expect(writer.search([8, 8, 8, 8], { k: 2 }).map(({ id }) => id)).toEqual([1001, 1000])
    } finally {
      await writer.close()
    }
    expect(await json(['info', index])).toMatchObject({ generation: 'gen-000002', live: { count: 302 } })
  })

  it('builds again with another quantization', async () => {
    const index = await built('quantized.index')
    const args = ['compact', index, '--quantization', 'sq8', '--quiet']
    expect(await json(args)).toMatchObject({ compacted: true, quantization: 'sq8', count: 300 })
    expect(await json(args)).toMatchObject({ compacted: false })
  })
})

describe('what is of the last build alone', () => {
  it('is said by recall and export', async () => {
    const index = await built('alone.index')
    await json(['upsert', index, inFolder('more.jsonl')])
    const { stderr } = await shardloom(['recall', index, '--ef', '64'])
    expect(stderr).toContain('the last build alone is measured: 30 rows that came since are not in it')
    expect((await shardloom(['recall', index, '--ef', '64', '--quiet'])).stderr).toBe('')
    const out = inFolder('alone.bin')
    const args = ['export', index, '--format', 'hnswlib', '--out', out]
    expect(await failure(args)).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/30 changes were made .*shardloom compact/) as string,
    })
    const { exitCode, stderr: said } = await shardloom([...args, '--base-only'])
    expect(exitCode).toBe(0)
    expect(said).toContain('30 changes since then are not in it')
  })
})

describe('an index with fields', () => {
  const row = (id: number, fields: object): string => `${JSON.stringify({ id, vector: [id, 1, 2, 3], ...fields })}\n`

  it('is made with --fields; upsert reads those that files have', async () => {
    const index = inFolder('fields.index')
    await json(['create', index, '--dimensions', '4', '--fields', 'kind:keyword,size:number'])
    await writeFile(inFolder('fields.jsonl'), row(1, { kind: 'a', size: 1, other: 5 }) + row(2, { size: 2 }))
    expect(await json(['upsert', index, inFolder('fields.jsonl')])).toMatchObject({ upserted: 2 })
    expect(await json(['upsert', index, '-'], row(3, { kind: 'c', size: 3 }))).toMatchObject({ upserted: 1 })
    const named = ['upsert', index, inFolder('fields.jsonl'), '--fields', 'size']
    expect(await json(named)).toMatchObject({ replaced: 2 })
    const open = await openIndex(index)
    expect([1, 2, 3].map((id) => open.get(id)?.fields)).toEqual([{ size: 1 }, { size: 2 }, { kind: 'c', size: 3 }])
    await open.close()
  })

  it('skips records with invalid fields where it is told to, and counts them', async () => {
    const index = inFolder('skip-fields.index')
    await json(['create', index, '--dimensions', '4', '--fields', 'size:number'])
    await writeFile(inFolder('invalid.jsonl'), row(1, { size: 1 }) + row(2, { size: 'many' }) + row(3, { size: 3 }))
    expect((await failure(['upsert', index, inFolder('invalid.jsonl')])).message).toContain('size')
    const skipping = await json(['upsert', index, inFolder('invalid.jsonl'), '--invalid', 'skip'])
    expect(skipping).toMatchObject({ upserted: 2, skipped: 1 })
    const open = await openIndex(index)
    expect([1, 2, 3].map((id) => open.get(id)?.fields)).toEqual([{ size: 1 }, undefined, { size: 3 }])
    await open.close()
  })

  it('refuses names that it has not, and types without a name', async () => {
    const index = inFolder('named.index')
    expect((await failure(['create', index, '--dimensions', '4', '--fields', 'size'])).message).toContain(
      'the type of field "size" must be given',
    )
    await json(['create', index, '--dimensions', '4', '--fields', 'size:number'])
    const wrong = ['upsert', index, inFolder('base.jsonl'), '--fields']
    expect((await failure([...wrong, 'siz'])).message).toContain('did you mean "size"?')
    expect((await failure([...wrong, 'size:keyword'])).message).toContain('is of type number in the index')
  })

  it('says when a file has vectors only', async () => {
    const index = inFolder('vectors.index')
    await json(['create', index, '--dimensions', '4', '--fields', 'size:number'])
    const { exitCode, stderr } = await shardloom([
      'upsert',
      index,
      inFolder('rows.fvecs'),
      '--ids',
      inFolder('ids.txt'),
    ])
    expect(exitCode).toBe(0)
    expect(stderr).toContain('has vectors only')
  })
})
