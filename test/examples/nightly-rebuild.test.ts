import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openIndex } from '../../src/live/open-index.js'
import { CLI, projectFolder, REPOSITORY, run, type Ended } from './run.js'
import { some } from '../whole.js'

const SCRIPT = path.join(REPOSITORY, 'examples/nightly-rebuild/rebuild.sh')
/** A hundred vectors: the test is about the script, not the build. */
const INPUT = 'examples/data/sift10k_query.bvecs'
const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|ERROR) .+\n$/
const hasFlock = spawnSync('flock', ['--version']).error === undefined

describe('nightly-rebuild', () => {
  const project = projectFolder()
  const rebuild = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    run('sh', [SCRIPT, ...args], { cwd: project.path, env })
  const live = (index: string): string => readFileSync(project.file(`${index}/CURRENT`), 'utf8')
  const generations = (index: string): Promise<string[]> => readdir(project.file(index)).then((names) => names.sort())

  /** A shardloom command that flips a byte of every index it builds. */
  async function damagingShardloom(): Promise<string> {
    const command = project.file('damaging-shardloom')
    const damage = `const { readFileSync, writeFileSync } = require('node:fs')
const file = process.argv[1] + '/' + readFileSync(process.argv[1] + '/CURRENT', 'utf8').split(' ')[0] + '/links-000.seg'
const bytes = readFileSync(file); bytes[5000] ^= 1; writeFileSync(file, bytes)`
    await writeFile(project.file('damage.cjs'), damage)
    const script = `#!/bin/sh
'${process.execPath}' '${CLI}' "$@" || exit
[ "$1" != build ] || '${process.execPath}' -e "$(cat '${project.file('damage.cjs')}')" "$4"
`
    await writeFile(command, script, { mode: 0o755 })
    return command
  }

  it('makes a new index live, writes one line, and leaves nothing else behind', async () => {
    const ended = await rebuild([INPUT, 'good.index'])
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(LINE)
    expect(ended.stdout).toContain('INFO good.index: rebuilt, gen-000001 is live')
    expect(await generations('good.index')).toEqual(['CURRENT', 'gen-000001'])
  })

  it('replaces an index that is open, which goes on answering', async () => {
    expect(await rebuild([INPUT, 'open.index'])).toMatchObject({ exitCode: 0 })
    const index = await openIndex(project.file('open.index'))
    const query = new Float32Array(index.dimensions).fill(1)
    const before = index.search(query)
    for (const night of [2, 3]) {
      expect(await rebuild([INPUT, 'open.index', '--seed', String(night)])).toMatchObject({
        exitCode: 0,
      })
    }
    expect(live('open.index')).toContain('gen-000003')
    expect(index.search(query)).toEqual(before)
    await index.close()
  })

  it('writes a page about the new index beside the previous one', async () => {
    const REPORT = project.file('night.html')
    expect(await rebuild([INPUT, 'paged.index'], { REPORT })).toMatchObject({ exitCode: 0 })
    expect(readFileSync(REPORT, 'utf8')).not.toContain('gen-000002')
    expect(await rebuild([INPUT, 'paged.index', '--seed', '2'], { REPORT })).toMatchObject({ exitCode: 0 })
    const page = readFileSync(REPORT, 'utf8')
    expect(page).toContain('gen-000002')
    expect(page).toContain('gen-000001')
  })

  it('logs that the page could not be written, and the new index is live', async () => {
    const ended = await rebuild([INPUT, 'unpaged.index'], { REPORT: project.file('no/such/folder/page.html') })
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(LINE)
    expect(ended.stdout).toContain('gen-000001 is live; no page: error: ')
    expect(live('unpaged.index')).toContain('gen-000001')
  })

  it.each(
    some(
      [
        ['input without vectors', 2, ['examples/data/README.md'], 'is of a known format'],
        ['a missing input', 2, ['no-such-file.npy'], 'no-such-file.npy'],
        [
          'a recall that is not reached',
          1,
          ['examples/data/sift10k_base.bvecs', '--m', '4', '--min-recall', '1'],
          'recall@10',
        ],
        ['too little memory', 3, [INPUT, '--memory', '20MB'], '20 MB'],
      ] as const,
      2,
    ),
  )('on %s ends with exit code %i and one line, and the live index stays', async (what, exitCode, args, message) => {
    const index = `${what.replaceAll(' ', '-')}.index`
    expect(await rebuild([INPUT, index])).toMatchObject({ exitCode: 0 })
    const before = live(index)
    const [input, ...flags] = args
    const ended = await rebuild([input, index, ...flags])
    expect(ended).toMatchObject({ exitCode, stderr: '' })
    expect(ended.stdout).toMatch(LINE)
    expect(ended.stdout).toContain(`ERROR ${index}: not rebuilt: error: `)
    expect(ended.stdout).toContain(message)
    expect(live(index)).toBe(before)
    expect(await generations(index)).toEqual(['CURRENT', 'gen-000001'])
    await (await openIndex(project.file(index))).close()
  })

  it('serves the live index through good and bad nights, and updates metrics and page after each', async () => {
    const [REPORT, metrics] = [project.file('nights.html'), project.file('nights.prom')]
    const night = (input: string, ...flags: string[]): Promise<Ended> =>
      rebuild([input, 'nights.index', '--metrics-file', metrics, ...flags], { REPORT })
    const metric = (name: string): string | undefined =>
      readFileSync(metrics, 'utf8').match(new RegExp(`^shardloom_build_${name}\\{(.*)$`, 'm'))?.[1]
    const good = 'examples/data/sift10k_base.bvecs'

    expect(await night(good)).toMatchObject({ exitCode: 0 })
    const index = await openIndex(project.file('nights.index'))
    const query = new Float32Array(index.dimensions).fill(20)
    const first = index.search(query)
    // A service that answers all night and refreshes five times a second.
    const answers: { generation: string; hits: number }[] = []
    const service = setInterval(() => {
      answers.push({ generation: index.generation, hits: index.search(query).length })
    }, 20)
    const taken: Promise<boolean>[] = []
    const refresher = setInterval(() => taken.push(index.refresh()), 200)

    expect(await night(good, '--seed', '2')).toMatchObject({ exitCode: 0 })
    expect(metric('success')).toMatch(/} 1$/)
    expect(metric('info')).toContain('generation="gen-000002"')
    const lastSuccess = metric('last_success_timestamp_seconds')
    expect(readFileSync(REPORT, 'utf8')).toContain('gen-000002')
    const page = readFileSync(REPORT, 'utf8')

    expect(await night('examples/data/README.md')).toMatchObject({ exitCode: 2 })
    expect(metric('success')).toMatch(/code="SHARDLOOM_INVALID_FILE"} 0$/)
    expect(await night(good, '--memory', '20MB')).toMatchObject({ exitCode: 3 })
    expect(metric('success')).toMatch(/code="SHARDLOOM_INSUFFICIENT_MEMORY"} 0$/)
    expect(metric('last_success_timestamp_seconds')).toBe(lastSuccess)
    expect(live('nights.index')).toContain('gen-000002')
    expect(readFileSync(REPORT, 'utf8')).toBe(page)

    clearInterval(service)
    clearInterval(refresher)
    await Promise.all(taken)
    await index.refresh()
    expect(index.generation).toBe('gen-000002')
    expect(index.search(query).length).toBe(first.length)
    expect(answers.length).toBeGreaterThan(10)
    expect(answers.every(({ hits }) => hits === first.length)).toBe(true)
    expect(new Set(answers.map(({ generation }) => generation))).toEqual(new Set(['gen-000001', 'gen-000002']))
    await index.close()
  })

  it('takes back an index that does not verify, even with --keep-generations 0', async () => {
    expect(await rebuild([INPUT, 'damaged.index'])).toMatchObject({ exitCode: 0 })
    const before = live('damaged.index')
    const flags = ['--keep-generations', '0']
    const ended = await rebuild([INPUT, 'damaged.index', ...flags], { SHARDLOOM: await damagingShardloom() })
    expect(ended).toMatchObject({ exitCode: 4 })
    expect(ended.stdout).toMatch(LINE)
    expect(ended.stdout).toContain('ERROR damaged.index: gen-000002 withdrawn: ')
    expect(live('damaged.index')).toBe(before)
    expect(await generations('damaged.index')).toEqual(['CURRENT', 'gen-000001'])
    await (await openIndex(project.file('damaged.index'))).close()
  })

  it('has nothing live after a first night that does not verify', async () => {
    const ended = await rebuild([INPUT, 'first.index'], { SHARDLOOM: await damagingShardloom() })
    expect(ended).toMatchObject({ exitCode: 4 })
    expect(existsSync(project.file('first.index/CURRENT'))).toBe(false)
  })

  it.skipIf(!hasFlock)('leaves alone a rebuild that still runs', async () => {
    const lock = project.file('busy.index.lock')
    const inside = `sh '${SCRIPT}' '${INPUT}' busy.index`
    const ended = await run('flock', [lock, 'sh', '-c', inside], { cwd: project.path })
    expect(ended).toMatchObject({ exitCode: 1 })
    expect(ended.stdout).toMatch(LINE)
    expect(ended.stdout).toContain('ERROR busy.index: the rebuild before this one still runs')
    expect(existsSync(project.file('busy.index'))).toBe(false)
  })

  it('prints its usage when arguments are missing', async () => {
    const ended = await rebuild([INPUT])
    expect(ended).toMatchObject({ exitCode: 2 })
    expect(ended.stdout).toMatch(LINE)
  })

  it('has a crontab line that calls it', () => {
    const crontab = readFileSync(path.join(REPOSITORY, 'examples/nightly-rebuild/crontab'), 'utf8')
    expect(crontab).toMatch(/^(\S+ ){5} \S*rebuild\.sh \S+\.jsonl \S+\.index .*\n$/m)
  })
})
