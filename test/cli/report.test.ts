import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onlyJson, randomRows, shardloom, writeFvecs } from './shardloom.js'

const COUNT = 300
const DIMENSIONS = 8

let folder: string
let base: string
let index: string
const inFolder = (name: string): string => path.join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardloom-report-'))
  base = inFolder('base.fvecs')
  index = inFolder('rows.index')
  await writeFvecs(base, randomRows(COUNT, DIMENSIONS))
  await writeFvecs(inFolder('queries.fvecs'), randomRows(7, DIMENSIONS, 9))
  for (const seed of ['1', '2']) {
    const { exitCode, stderr } = await shardloom(['build', base, '--out', index, '--seed', seed, '--quiet'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function failure(args: readonly string[]): Promise<{ exitCode: number | null; code: string; message: string }> {
  const { exitCode, stdout } = await shardloom([...args, '--json'])
  const { code, message } = onlyJson(stdout)['error'] as { code: string; message: string }
  return { exitCode, code, message }
}

describe('report', () => {
  it('writes a page, and says where and of what', async () => {
    const out = inFolder('plain.html')
    const { exitCode, stdout, stderr } = await shardloom(['report', index, '--out', out])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^page +\S+plain\.html \([\d.]+ kB\)$/m)
    expect(stdout).toMatch(/^index +\S+ \(gen-000002\)$/m)
    const page = await readFile(out, 'utf8')
    expect(page).toMatch(/^<!doctype html>\n/)
    expect(page).toContain('<strong>300 vectors</strong>')
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
  })

  it('measures a small index by itself, and prints the curve with --json', async () => {
    const written = onlyJson((await shardloom(['report', index, '--out', inFolder('small.html'), '--json'])).stdout)
    expect(written).toMatchObject({ generation: 'gen-000002', recall: { k: 10, queries: 200, source: 'sampled' } })
    const without = await shardloom(['report', index, '--no-recall', '--out', inFolder('none.html'), '--json'])
    expect(Object.keys(onlyJson(without.stdout))).toEqual(['out', 'bytes', 'generation'])
    expect(await readFile(inFolder('none.html'), 'utf8')).not.toContain('<figure id="recall"')
  })

  it('measures with queries that are given', async () => {
    const args = ['report', index, '--queries', inFolder('queries.fvecs'), '--out', inFolder('given.html'), '--json']
    expect(onlyJson((await shardloom(args)).stdout)).toMatchObject({ recall: { queries: 7, source: 'given' } })
  })

  it('compares with an old generation, by its name or as the previous one', async () => {
    for (const generation of ['gen-000001', 'previous']) {
      const args = ['report', index, '--compare-generation', generation, '--out', inFolder('two.html'), '--json']
      expect(onlyJson((await shardloom(args)).stdout)).toMatchObject({ comparedWith: 'gen-000001' })
      expect(await readFile(inFolder('two.html'), 'utf8')).toContain('Compared with gen-000001')
    }
  })

  it('compares with another index', async () => {
    const other = inFolder('other.index')
    await shardloom(['build', base, '--out', other, '--m', '8', '--quiet'])
    const { exitCode } = await shardloom(['report', index, '--compare', other, '--out', inFolder('other.html')])
    expect(exitCode).toBe(0)
    expect(await readFile(inFolder('other.html'), 'utf8')).toContain('m 16, before 8')
  })

  it('says so when there is no build before to compare with', async () => {
    const first = inFolder('first.index')
    await shardloom(['build', base, '--out', first, '--quiet'])
    const args = ['report', first, '--compare-generation', 'previous', '--out', inFolder('first.html')]
    expect((await shardloom(args)).stdout).toMatch(/^compared +with nothing/m)
  })

  it('names the generations that are kept when another one is asked for', async () => {
    expect(await failure(['report', index, '--compare-generation', 'gen-000009', '--out', inFolder('x.html')])).toEqual(
      {
        exitCode: 2,
        code: 'SHARDLOOM_PATH',
        message: `${index}: there is no generation gen-000009; kept generations: gen-000001, gen-000002`,
      },
    )
    expect(
      await failure(['report', index, '--compare-generation', '../..', '--out', inFolder('x.html')]),
    ).toMatchObject({
      exitCode: 2,
      code: 'SHARDLOOM_INVALID_OPTION',
    })
  })

  it('replaces a page, and no other file', async () => {
    const page = inFolder('again.html')
    await writeFile(page, '<!DOCTYPE HTML><p>of last night')
    expect((await shardloom(['report', index, '--out', page, '--quiet'])).exitCode).toBe(0)
    expect(await readFile(page, 'utf8')).toContain('300 vectors')
    await writeFile(inFolder('precious.txt'), 'years of work')
    expect(await failure(['report', index, '--out', inFolder('precious.txt')])).toMatchObject({
      exitCode: 2,
      message: `${inFolder('precious.txt')} exists and is not an HTML page, so it is not replaced; name another file`,
    })
    expect(await readFile(inFolder('precious.txt'), 'utf8')).toBe('years of work')
    expect(await failure(['report', index, '--out', folder])).toMatchObject({ exitCode: 2, code: 'SHARDLOOM_PATH' })
  })

  it.each([
    [['--compare', 'x', '--compare-generation', 'previous']],
    [['--queries', 'x', '--sample', '5']],
    [['--no-recall', '--sample', '5']],
  ])('refuses %j, which contradict each other', async (flags) => {
    expect(await failure(['report', index, '--out', inFolder('x.html'), ...flags])).toMatchObject({
      exitCode: 2,
      code: 'SHARDLOOM_INVALID_OPTION',
    })
  })
})

describe('build --report', () => {
  it('writes a page with the last stage, beside the build before', async () => {
    const out = inFolder('build.html')
    const args = ['build', base, '--out', inFolder('nightly.index'), '--report', out]
    expect((await shardloom(args)).stderr).toContain(`report: ${out} (`)
    expect(await readFile(out, 'utf8')).not.toContain('Compared with')
    const { exitCode, stdout } = await shardloom([...args, '--json'])
    expect(exitCode).toBe(0)
    expect(onlyJson(stdout)).toMatchObject({ generation: 'gen-000002' })
    const page = await readFile(out, 'utf8')
    expect(page).toContain('Compared with gen-000001')
    expect(page).toMatch(/<th scope="row" class="text">publish<\/th>/)
  })

  it('says nothing with --quiet', async () => {
    const args = ['build', base, '--out', inFolder('quiet.index'), '--report', inFolder('quiet.html'), '--quiet']
    expect(await shardloom(args)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(existsSync(inFolder('quiet.html'))).toBe(true)
  })

  it('refuses a page that cannot be written before anything is built', async () => {
    const out = inFolder('unbuilt.index')
    const args = ['build', base, '--out', out, '--report', inFolder('nowhere/report.html')]
    expect(await failure(args)).toMatchObject({ exitCode: 2, code: 'SHARDLOOM_PATH' })
    expect(existsSync(out)).toBe(false)
  })

  it('writes its page even when an old generation is damaged', async () => {
    const damaged = inFolder('damaged.index')
    const args = ['build', base, '--out', damaged, '--report', inFolder('damaged.html')]
    await shardloom(args)
    await mkdir(path.join(damaged, 'gen-000001'), { recursive: true })
    await writeFile(path.join(damaged, 'gen-000001', 'manifest.json'), '{')
    const { exitCode, stderr } = await shardloom(args)
    expect(exitCode).toBe(0)
    expect(stderr).toContain('warning: the page does not compare with the build before: ')
    expect(await readFile(inFolder('damaged.html'), 'utf8')).not.toContain('Compared with')
  })
})
