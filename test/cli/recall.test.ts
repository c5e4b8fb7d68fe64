import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../fixtures/index-files.js'
import { randomGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import type { RecallCurve, TuneResult } from '../../src/api/measure.js'
import { onlyJson, randomRows, shardloom, writeFvecs } from './shardloom.js'

const folder = temporaryFolder()
let made = 0
let queries: string

beforeAll(async () => {
  queries = folder.path('queries.fvecs')
  await writeFvecs(queries, randomRows(20, 6))
})

/** Random links: some nodes are out of reach, so that recall never comes to 1. */
async function index(): Promise<{ dir: string; directory: string }> {
  const dir = folder.path(`${made++}.index`)
  const graph = randomGraph({ seed: 3, metric: 'l2', count: 400, dimensions: 6, m: 4, levels: 1, values: 'reals' })
  return { dir, ...(await writeIndex(dir, graph)) }
}

async function failure(args: readonly string[]): Promise<{ exitCode: number | null; code: string; message: string }> {
  const { exitCode, stdout } = await shardloom([...args, '--json'])
  return { exitCode, ...(onlyJson(stdout)['error'] as { code: string; message: string }) }
}

describe('recall', () => {
  it('prints the curve, and that sampled vectors are the easier queries', async () => {
    const { dir } = await index()
    const { exitCode, stdout, stderr } = await shardloom(['recall', dir, '--ef', '10,40', '--sample', '50'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^queries +50 vectors of the index, each left out of its own neighbours; one thread$/m)
    expect(stdout).toMatch(
      /^ef +recall@10 +95% interval +queries\/s +p50\n10 +0\.\d{4} +0\.\d{3} to [01]\.\d{3} +[\d,]+ +\d+\.\d{3} ms\n40 +0\.\d{4} +/m,
    )
    expect(stdout).toContain('Vectors of the index are easier to find than new queries')
  })

  it('measures with queries of a file, and prints the curve with --json', async () => {
    const { dir } = await index()
    const args = ['recall', dir, '--queries', queries, '-k', '5', '--ef', '5,400', '--memory', '200MB', '--json']
    const curve = onlyJson((await shardloom(args)).stdout) as unknown as RecallCurve
    expect(curve).toMatchObject({ generation: 'gen-000001', k: 5, queries: 20, source: 'given' })
    expect(curve.points.map(({ ef }) => ef)).toEqual([5, 400])
    expect(curve.points[0].recall).toBeLessThan(curve.points[1].recall)
    const { stdout } = await shardloom(args.slice(0, -1))
    expect(stdout).toContain('20 given queries')
    expect(stdout).not.toContain('easier')
  })

  it('chooses with --target-recall, and info, search and verify use the choice', async () => {
    const { dir } = await index()
    const { exitCode, stdout } = await shardloom(['recall', dir, '--queries', queries, '--target-recall', '0.5'])
    expect(exitCode).toBe(0)
    const chosen = /^chosen: (ef (\d+) for recall@10 0\.5 \(measured 0\.\d{4} on 20 given queries\)), stored/m.exec(
      stdout,
    )
    const [, text, ef] = chosen ?? []
    expect((await shardloom(['info', dir])).stdout).toMatch(
      new RegExp(`^tuned +${text.replace(/[()]/g, '\\$&')}$`, 'm'),
    )
    const info = onlyJson((await shardloom(['info', dir, '--json'])).stdout)
    expect(info['tuning']).toMatchObject([{ k: 10, targetRecall: 0.5, ef: Number(ef), queries: 20 }])
    expect((await shardloom(['verify', dir])).exitCode).toBe(0)
    expect((await shardloom(['search', dir, '--queries', queries])).stdout).toMatch(
      new RegExp(`^queries +20, k 10, ef ${ef}$`, 'm'),
    )
    const given = onlyJson((await shardloom(['search', dir, '--queries', queries, '--ef', ef, '--json'])).stdout)
    const tuned = onlyJson((await shardloom(['search', dir, '--queries', queries, '--json'])).stdout)
    expect(tuned['results']).toEqual(given['results'])
    expect(given).not.toHaveProperty('tuning')
  })

  it('ends with 1 and reports the best ef when none reaches the target', async () => {
    const { dir, directory } = await index()
    const args = ['recall', dir, '--target-recall', '1', '--json']
    const { exitCode, stdout, stderr } = await shardloom(args)
    expect(exitCode).toBe(1)
    const result = onlyJson(stdout) as unknown as TuneResult
    expect(result).toMatchObject({ reached: false, stored: false })
    expect(stderr).toContain(`recall@10 1 was not reached: ${result.recall.toFixed(4)} at ef ${result.ef} is the best`)
    expect(readdirSync(directory)).not.toContain('TUNING')
  })

  it.each([
    [['--ef', '10,x'], '--ef must be a list of integers'],
    [['--ef', '10', '--target-recall', '0.9'], '--ef says what to measure'],
    [['--target-recall', '0'], '--target-recall must be a number above 0'],
    [['--sample', '5', '--queries', 'q.fvecs'], 'q.fvecs'],
  ])('refuses %j', async (flags, message) => {
    const failed = await failure(['recall', (await index()).dir, ...flags])
    expect(failed.exitCode).toBe(2)
    expect(failed.message).toContain(message)
  })

  it('ends with 4 for a damaged choice, and says that the file can be deleted', async () => {
    const { dir, directory } = await index()
    writeFileSync(join(directory, 'TUNING'), 'x')
    for (const args of [
      ['recall', dir],
      ['info', dir],
      ['search', dir, '--queries', queries],
    ]) {
      expect(await failure(args)).toMatchObject({ exitCode: 4, code: 'SHARDLOOM_CORRUPT_INDEX' })
    }
    expect((await shardloom(['verify', dir])).stdout).toContain('this file can be deleted')
    rmSync(join(directory, 'TUNING'))
    expect((await shardloom(['verify', dir])).exitCode).toBe(0)
  })
})

describe('search --target-recall', () => {
  it('chooses and stores once, and uses the stored choice from then on', async () => {
    const { dir, directory } = await index()
    const args = ['search', dir, '--queries', queries, '--target-recall', '0.5', '--json']
    const first = onlyJson((await shardloom(args)).stdout)
    expect(first['tuning']).toMatchObject({ targetRecall: 0.5, queries: 400, source: 'sampled', reached: true })
    expect(readdirSync(directory)).toContain('TUNING')
    const second = onlyJson((await shardloom(args)).stdout)
    expect([second['tuning'], second['results']]).toEqual([first['tuning'], first['results']])
  })

  it('answers with the best ef, and ends with 1, when none reaches the target', async () => {
    const { dir } = await index()
    const args = ['search', dir, '--queries', queries, '--target-recall', '1', '--json']
    const { exitCode, stdout, stderr } = await shardloom(args)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('was not reached')
    const report = onlyJson(stdout)
    expect(report['results']).toHaveLength(20)
    expect(report['tuning']).toMatchObject({ reached: false })
  })

  it('is refused beside --ef', async () => {
    const args = ['search', (await index()).dir, '--queries', queries, '--ef', '10', '--target-recall', '0.5']
    expect((await failure(args)).message).toContain('--ef says how wide to search')
  })
})
