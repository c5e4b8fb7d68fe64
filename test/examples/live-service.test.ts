import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createIndex, openIndex, verifyIndex } from '../../dist/src/index.js'
import { parseExposition } from '../fixtures/parse-exposition.js'
import { projectFolder, REPOSITORY, runTypeScript } from './run.js'
import { starter, type Started } from './started.js'

const FOLDER = path.join(REPOSITORY, 'examples/live-service')
/** A slow machine takes longer; a right answer comes. */
const PATIENT = { timeout: 60_000, interval: 50 }
/** So that what is copied is deleted meanwhile. */
const SLOW_COPIES = `import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
const { copyFile } = fs
fs.copyFile = async (...args) => { await sleep(50); await copyFile(...args) }
syncBuiltinESMExports()
`
const ADDRESS = /^listening on (\S+)$/m

describe('live-service', () => {
  const project = projectFolder()
  const start = starter()
  const program = (name: string, ...args: string[]): Started =>
    start(path.join(FOLDER, name), args, { cwd: project.path })
  const post = (url: string, body: unknown): Promise<Response> =>
    fetch(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

  it('answers as the model says through a compaction and a kill, and nothing acknowledged is lost', async () => {
    const flags = ['--index', 'load.index', '--durability', 'sync']
    const first = program('service.ts', ...flags, '--port', '0')
    const url = await first.printed(ADDRESS)
    const replica = program('replica.ts', '--index', 'load.index', '--port', '0', '--refresh', '100')
    const replicaUrl = await replica.printed(ADDRESS)
    const load = program(
      'load.ts',
      '--url',
      url,
      '--replica',
      replicaUrl,
      '--seconds',
      '600',
      '--ids',
      '1200',
      '--readers',
      '2',
    )
    await load.printed(/wrote 1200 vectors/)

    const compacted = await runTypeScript(path.join(FOLDER, 'compact.ts'), [url], { cwd: project.path })
    expect(compacted).toMatchObject({ exitCode: 0, stderr: '' })
    expect(compacted.stdout).toMatch(/^\S+ INFO http:\S+: gen-000001 is live: \d+ vectors, recall@10 (0\.9|1)/)

    expect(await first.end('SIGKILL')).toMatchObject({ exitCode: null })
    const second = program('service.ts', ...flags, '--port', new URL(url).port)
    await second.printed(ADDRESS)
    const sequenceNow = async (): Promise<number> => (await metricsOf(url)).get('shardloom_live_last_sequence') ?? 0
    const atStart = await sequenceNow()
    await expect.poll(sequenceNow, PATIENT).toBeGreaterThan(atStart + 300)

    const report = await load.end('SIGTERM')
    expect(report).toMatchObject({ exitCode: 0, stderr: '' })
    expect(report.stdout).toMatch(/; 0 answers were wrong$/m)
    const [, count, recall] = /^at the end (\d+) vectors, recall@10 ([\d.]+)$/m.exec(report.stdout) ?? []
    expect(Number(recall)).toBeGreaterThan(0.95)
    const [, missed, searches] = /^(\d+) of (\d+) searches .* did not find it/m.exec(report.stdout) ?? []
    expect(Number(missed)).toBeLessThanOrEqual(0.02 * Number(searches))

    await expect.poll(async () => (await metricsOf(replicaUrl)).get('shardloom_vectors'), PATIENT).toBe(Number(count))
    expect(await replica.end('SIGTERM')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await second.end('SIGTERM')).toMatchObject({ exitCode: 0, stderr: '' })
    const index = await openIndex(project.file('load.index'), { write: true })
    expect(index.count).toBe(Number(count))
    await index.close()
  })

  it('on SIGTERM answers the changes that wait, and has them afterwards', async () => {
    const service = program('service.ts', '--index', 'ended.index', '--dimensions', '2', '--port', '0')
    const url = await service.printed(ADDRESS)
    const ids = Array.from({ length: 40 }, (_, at) => `id-${at}`)
    const answers = ids.map(async (id) => {
      try {
        const { status } = await post(`${url}/upsert`, { records: [{ id, vector: [1, 2] }] })
        return status === 200 ? [id] : []
      } catch (error) {
        // Its connection came too late.
        if (error instanceof TypeError) return []
        throw error
      }
    })
    await Promise.race(answers)
    const ended = service.end('SIGTERM')
    const acknowledged = (await Promise.all(answers)).flat()
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await ended).stdout).toMatch(/^closed at change \d+$/m)
    expect(acknowledged.length).toBeGreaterThan(0)
    const index = await openIndex(project.file('ended.index'))
    expect(acknowledged.filter((id) => index.get(id) === undefined)).toEqual([])
    await index.close()
  })

  it('says what is wrong with a request', async () => {
    const service = program('service.ts', '--index', 'asked.index', '--dimensions', '2', '--port', '0')
    const url = await service.printed(ADDRESS)
    const records = [{ id: 'a', vector: [1, 0] }]
    expect(await (await post(`${url}/upsert`, { records })).json()).toEqual({ count: 1, sequence: 1 })
    expect(await (await post(`${url}/search`, { vector: [1, 0] })).json()).toEqual({ hits: [{ id: 'a', distance: 0 }] })
    const refused: [string, unknown, number, string][] = [
      ['search', { vector: [1, 2, 3] }, 400, 'SHARDLOOM_DIMENSION_MISMATCH'],
      ['search', { vector: [1, null] }, 400, 'SHARDLOOM_INVALID_VECTOR'],
      ['search', { vector: [1, 0], k: 0 }, 400, 'SHARDLOOM_INVALID_OPTION'],
      ['search', {}, 400, 'vector is an array'],
      ['search', '{', 400, 'the body is no JSON'],
      ['upsert', { records: [{ id: 7, vector: [1, 0] }] }, 400, 'an id is text'],
      ['upsert', [], 400, 'records is an array'],
      ['delete', { ids: 'a' }, 400, 'ids is an array'],
      ['nowhere', {}, 404, 'Not Found'],
    ]
    for (const [route, body, status, message] of refused) {
      const answer = await post(`${url}/${route}`, body)
      expect(answer.status).toBe(status)
      expect(await answer.text()).toContain(message)
    }
    expect((await fetch(`${url}/vectors/b`)).status).toBe(404)
    expect(await (await post(`${url}/delete`, { ids: ['a', 'b'] })).json()).toEqual({ count: 1, sequence: 3 })
    expect((await metricsOf(url)).get('shardloom_vectors')).toBe(0)
    const replica = program('replica.ts', '--index', 'asked.index', '--port', '0')
    const replicaUrl = await replica.printed(ADDRESS)
    expect((await post(`${replicaUrl}/upsert`, { records })).status).toBe(404)
    expect(await (await fetch(`${replicaUrl}/health`)).json()).toMatchObject({ ok: true, count: 0 })
  })

  it('copies an index that is written, with every change that was acknowledged before', async () => {
    const index = await createIndex(project.file('written.index'), { dimensions: 2, durability: 'none' })
    let written = 0
    let isCopying = true
    const write = async (): Promise<void> => {
      await index.upsert({ id: written, vector: [written, 1] })
      written++
      // Some rounds of the copy meet other parts than they began with, and then one does not.
      if (written % 300 === 0 && written < 6000) await index.flush()
    }
    while (written < 1000) await write()
    await index.compact()
    const before = written
    const writing = (async () => {
      while (isCopying) await write()
    })()
    await writeFile(project.file('slow-copies.mjs'), SLOW_COPIES)
    const copied = await runTypeScript(path.join(FOLDER, 'backup.ts'), ['written.index', 'copy.index'], {
      cwd: project.path,
      env: { NODE_OPTIONS: `--import ${pathToFileURL(project.file('slow-copies.mjs')).href}` },
    })
    isCopying = false
    await writing
    await index.close()
    expect(copied).toMatchObject({ exitCode: 0, stderr: '' })

    const copy = await openIndex(project.file('copy.index'), { write: true })
    expect(copy.count).toBeGreaterThanOrEqual(before)
    const ids = Array.from({ length: copy.count }, (_, id) => id)
    expect(ids.filter((id) => copy.get(id) === undefined)).toEqual([])
    await copy.close()
    expect(await verifyIndex(project.file('copy.index'))).toMatchObject({ ok: true })
  })

  it('has a crontab line that calls the compaction', () => {
    expect(readFileSync(path.join(FOLDER, 'crontab'), 'utf8')).toMatch(/^(\S+ ){5} .*compact\.ts http:\S+/m)
  })
})

/** Values of metrics without labels, by name. */
async function metricsOf(url: string): Promise<Map<string, number>> {
  const families = [...parseExposition(await (await fetch(`${url}/metrics`)).text())]
  return new Map(families.flatMap(([name, { samples }]) => (samples.length === 1 ? [[name, samples[0].value]] : [])))
}
