import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonView, plainView } from '../../src/cli/screen/build-view.js'
import type { BuildReport } from '../../src/api/report.js'
import type { ProgressEvent } from '../../src/api/build.js'
import { HOSTS } from '../fixtures/reports.js'
import { randomRows, shardloom, start, writeFvecs } from './shardloom.js'

const STAGES = [
  'plan',
  'ingest',
  'route',
  'assign nodes',
  'shards',
  'merge',
  'upper levels',
  'quantize',
  'prove',
  'publish',
]
const event: ProgressEvent = {
  stage: 'ingest',
  done: 10,
  total: undefined,
  unit: 'vectors',
  rate: 5,
  etaSeconds: undefined,
  elapsedSeconds: 1,
  rssBytes: 1e8,
  budgetBytes: 1e9,
  spilledBytes: 0,
  pressure: 'normal',
}

let folder: string
let input: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-view-'))
  input = path.join(folder, 'rows.fvecs')
  await writeFvecs(input, randomRows(400, 8))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('lines that stay', () => {
  it('report a long stage every ten seconds, and no shorter one', () => {
    const said: string[] = []
    const view = plainView({ log: (line) => said.push(line), warn: () => undefined })
    const at = (...seconds: number[]): void =>
      seconds.forEach((elapsedSeconds) => view.onProgress({ ...event, elapsedSeconds }))
    at(1, 9)
    view.logger.info('stage plan: 9.00 s')
    at(9.5, 18.9)
    expect(said).toEqual(['stage plan: 9.00 s'])
    at(19, 19.1, 28.9)
    expect(said.slice(1)).toEqual([expect.stringMatching(/^ingest {2}10 vectors/)])
    at(29)
    expect(said).toHaveLength(3)
  })
})

describe('JSON', () => {
  it('has the hosts of a build on many machines, as they go on and in the end', () => {
    const said: Record<string, unknown>[] = []
    const view = jsonView({ logFields: (fields) => said.push({ ...fields }), warn: () => undefined })
    const hosts = [{ host: 'ape', running: 2, done: 7 }]
    view.onProgress({ ...event, elapsedSeconds: 11, hosts })
    view.end({ hosts: HOSTS } as BuildReport)
    expect(said.map((line) => [line['event'], line['hosts']])).toEqual([
      ['progress', hosts],
      ['stage', hosts],
      ['built', HOSTS],
    ])
  })

  it('reports each stage when it has ended, with numbers as fields', () => {
    const said: Record<string, unknown>[] = []
    const view = jsonView({ logFields: (fields, msg) => said.push({ ...fields, msg }), warn: () => undefined })
    for (const each of [
      event,
      { ...event, elapsedSeconds: 3 },
      { ...event, stage: 'route' as const, elapsedSeconds: 4 },
    ]) {
      view.onProgress(each)
    }
    expect(said).toEqual([
      expect.objectContaining({ event: 'stage', stage: 'ingest', seconds: 3, done: 10, pressure: 'normal' }),
    ])
    view.end({ count: 10, generation: 'gen-000001' } as BuildReport)
    expect(said.slice(1)).toEqual([
      expect.objectContaining({ event: 'stage', stage: 'route', seconds: 1 }),
      expect.objectContaining({ event: 'built', count: 10, msg: 'built gen-000001' }),
    ])
  })

  const lines = (stderr: string): Record<string, unknown>[] =>
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('is all that is on stderr with --log-format json: level, time, message, every stage, the result', async () => {
    const args = [
      'build',
      input,
      '--out',
      path.join(folder, 'a.index'),
      '--quantization',
      'sq8',
      '--log-format',
      'json',
    ]
    const { exitCode, stderr, stdout } = await shardloom(args)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('recall@10')
    const said = lines(stderr)
    for (const line of said) {
      expect(line).toMatchObject({
        level: expect.stringMatching(/^(info|warn)$/) as string,
        msg: expect.any(String) as string,
      })
      expect(new Date(String(line['time'])).getTime()).not.toBeNaN()
    }
    expect(said.filter((line) => line['event'] === 'stage').map((line) => line['stage'])).toEqual(STAGES)
    expect(said.at(-1)).toMatchObject({ event: 'built', count: 400, generation: 'gen-000001' })
  })

  it.each([
    [['absent.fvecs', '--out', 'x'], 'SHARDLOOM_PATH'],
    [['--no-such-flag'], 'SHARDLOOM_INVALID_OPTION'],
    [[], 'SHARDLOOM_INVALID_OPTION'],
  ])('ends with the error for %j', async (args, code) => {
    const { exitCode, stderr } = await shardloom(['build', ...args, '--log-format=json'], { cwd: folder })
    expect(exitCode).toBe(2)
    expect(lines(stderr).at(-1)).toMatchObject({ level: 'error', event: 'failed', code, exitCode: 2 })
  })

  it('is only errors with --quiet', async () => {
    const args = ['build', input, '--out', path.join(folder, 'b.index'), '--quiet', '--log-format', 'json']
    expect(await shardloom(args)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })
})

describe('colour', () => {
  const failing = async (env: NodeJS.ProcessEnv): Promise<string> => {
    const { child, ended } = start(['info', path.join(folder, 'absent')], env)
    child.stdin.end()
    return (await ended).stderr
  }

  it('is forced by FORCE_COLOR, and is not there in a pipe', async () => {
    expect(await failing({ FORCE_COLOR: '1' })).toContain('\u001B[31merror:\u001B[39m ')
    expect(await failing({ FORCE_COLOR: undefined, NO_COLOR: undefined })).toMatch(/^error: /)
  })
})

/** Runs a command on a pseudo-terminal; from util-linux. */
const SCRIPT = '/usr/bin/script'
const MAIN = fileURLToPath(new URL('../../dist/bundle/lib/main.js', import.meta.url))

describe.skipIf(process.platform !== 'linux' || !existsSync(SCRIPT))('a screen', () => {
  /** `onShown` is called with all that was shown so far; what it returns is typed. */
  const onScreen = (args: readonly string[], env: NodeJS.ProcessEnv, onShown: (shown: string) => string | undefined) =>
    new Promise<{ exitCode: number | null; shown: string }>((resolve, reject) => {
      const command = `stty cols 60 rows 30; exec ${[process.execPath, MAIN, ...args].join(' ')}`
      const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], {
        cwd: folder,
        env: { ...process.env, TERM: 'xterm', FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
      })
      let shown = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text
        const typed = onShown(shown)
        if (typed !== undefined) child.stdin.write(typed)
      })
      child.on('error', reject)
      child.on('close', (exitCode) => resolve({ exitCode, shown }))
    })

  it('shows every stage with its time, and the cursor again', async () => {
    const { exitCode, shown } = await onScreen(['build', 'rows.fvecs', '--out', 'c.index'], {}, () => undefined)
    expect(exitCode).toBe(0)
    for (const stage of STAGES.filter((name) => name !== 'quantize')) {
      expect(stripVTControlCharacters(shown)).toMatch(new RegExp(`✔ ${stage} +\\d+\\.\\d\\d s`))
    }
    expect(shown).toContain('next: shardloom search')
    expect(shown.lastIndexOf('\u001B[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001B[?25l'))
  })

  it('has no colour with NO_COLOR', async () => {
    const { shown } = await onScreen(['build', 'rows.fvecs', '--out', 'd.index'], { NO_COLOR: '1' }, () => undefined)
    expect(shown).toContain('✔ publish')
    expect(shown).not.toMatch(/\u001B\[\d+m/) // eslint-disable-line no-control-regex
  })

  it('has its cursor again after Ctrl-C', async () => {
    let typed = false
    const { exitCode, shown } = await onScreen(['build', '-', '--out', 'e.index'], {}, (sofar) => {
      if (typed || !sofar.includes('ingest')) return undefined
      typed = true
      return '\u0003'
    })
    expect(exitCode).toBe(130)
    expect(shown).toContain('SIGINT: stopping')
    expect(shown).toMatch(/✖ [^ ]*ingest/)
    expect(shown.lastIndexOf('\u001B[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001B[?25l'))
  })
})
