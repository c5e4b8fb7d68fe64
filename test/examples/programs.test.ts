import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import { projectFolder, REPOSITORY, runTypeScript, type Ended } from './run.js'

const project = projectFolder()
const example = (name: string, ...args: string[]): Promise<Ended> =>
  runTypeScript(path.join(REPOSITORY, 'examples', name), args, { cwd: project.path })

describe('batch-ingest', () => {
  it('indexes the nouns when no file is given, and prints the report', async () => {
    const ended = await example('batch-ingest.ts')
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(/^5000 vectors of 192 dimensions \(cosine\), 0 skipped/)
    expect(ended.stdout).toMatch(/recall@10 (0\.9|1)/)
    expect(ended.stderr).toMatch(/shards .* RSS /)
    expect(await verifyIndex(project.file('batch-ingest.index'))).toMatchObject({ ok: true, count: 5000 })
  })

  it('indexes the file it is given, by position when there are no ids', async () => {
    const data = path.join(REPOSITORY, 'examples/data/sift10k_query.bvecs')
    const ended = await example('batch-ingest.ts', data, '--metric', 'l2', '--out', 'sift.index')
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(/^100 vectors of 128 dimensions \(l2\)/)
    expect(await verifyIndex(project.file('sift.index'))).toMatchObject({ ok: true, count: 100 })
  })

  it.each([
    ['a missing file', 2, 'SHARDLOOM_PATH', ['no-such.npy']],
    ['an unknown metric', 2, 'SHARDLOOM_INVALID_OPTION', ['--metric', 'manhattan']],
    ['too little memory', 3, 'SHARDLOOM_INSUFFICIENT_MEMORY', ['--memory', '20MB']],
    ['an unknown flag', 2, '--colour', ['--colour']],
  ])('on %s ends with exit code %i and %s', async (_what, exitCode, message, args) => {
    const ended = await example('batch-ingest.ts', ...args, '--out', 'refused.index')
    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(ended.stderr).toContain(message)
    expect(existsSync(project.file('refused.index/CURRENT'))).toBe(false)
  })

  it('names the vector that has another length', async () => {
    const lines = ['{"id":"a","vector":[1,2]}', '{"id":"b","vector":[1,2,3]}']
    await writeFile(project.file('mixed.jsonl'), lines.join('\n'))
    const ended = await example('batch-ingest.ts', 'mixed.jsonl', '--out', 'mixed.index')
    expect(ended).toMatchObject({ exitCode: 2 })
    expect(ended.stderr).toContain('SHARDLOOM_DIMENSION_MISMATCH: vector 1 (id "b") has 3 dimensions, expected 2')
  })
})

describe('build-from-stream', () => {
  it('indexes the rows of the cursor, and finds a product of the same kind first', async () => {
    const ended = await example('build-from-stream.ts')
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toContain('10000 rows fetched\n10000 products in ')
    const [asked, ...hits] = ended.stdout.split('nearest to ')[1].trim().split('\n')
    expect(hits[0]).toBe(`  ${asked.slice(0, -1)}  0.0000`)
    expect(hits.every((hit) => hit.startsWith(`  ${asked.split('/')[0]}/`))).toBe(true)
  })

  it('ends at its time limit, closes the cursor and publishes nothing', async () => {
    const ended = await example('build-from-stream.ts', 'late.index', '1')
    expect(ended).toMatchObject({ exitCode: 130 })
    expect(ended.stdout).toMatch(/^\d+ rows fetched\n$/)
    expect(ended.stderr).toContain('SHARDLOOM_ABORTED')
    expect(existsSync(project.file('late.index'))).toBe(false)
  })
})
