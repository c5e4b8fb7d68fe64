import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SEGMENT_HEADER_BYTES } from '../../../src/format/segment/segment-header.js'
import { WorkerPool } from '../../../src/tasks/worker-pool.js'
import { makeFolder } from '../../fixtures/tasks.js'
import { hasRedis, startRedis, type RedisServer } from '../redis-server.js'
import { waitUntil } from '../wait-until.js'
import { openTestBuild, startWorker, useWaitingTasks, type TestBuild } from './test-build.js'

WorkerPool.entryUrl = pathToFileURL(join(import.meta.dirname, '../../../dist/workers/entry.cjs'))

describe.skipIf(!hasRedis)('a worker', () => {
  let server: RedisServer
  let number = 0
  let sharedDir = ''

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())
  beforeEach(() => {
    sharedDir = makeFolder()
  })

  const openBuild = (given: Parameters<typeof openTestBuild>[3] = {}): Promise<TestBuild> =>
    openTestBuild(server.url, sharedDir, `shardloom-${++number}`, given)

  const hasBegun = (build: TestBuild, id: number): boolean => existsSync(`${build.fileOf(id)}.begun`)

  it('runs a task, and its outcome is that of the task', async () => {
    const build = await openBuild()
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + 8)
    new Float32Array(bytes.buffer, SEGMENT_HEADER_BYTES).set([3, 4])
    writeFileSync(build.fileOf(1), bytes)
    await build.announce()
    startWorker(server.url, sharedDir)
    await build.give(1)
    await waitUntil(() => build.results.size === 1)
    expect(await build.outcomeOf(1)).toMatchObject({
      ok: true,
      value: { nodes: Uint32Array.of(0), squaredNorms: Float64Array.of(25), lengthSum: 5 },
    })
  })

  it('returns the typed error of a task that cannot run, and goes on', async () => {
    const build = await openBuild()
    await build.announce()
    const { messages } = startWorker(server.url, sharedDir)
    await build.give(1)
    await waitUntil(() => build.results.size === 1)
    const outcome = await build.outcomeOf(1)
    expect(!outcome.ok && outcome.error).toMatchObject({ name: 'WorkerFailedError', fields: { kind: 'failed' } })
    expect(messages.join('\n')).toMatch(/task task 1 failed: .*ENOENT/)
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + 8)
    writeFileSync(build.fileOf(2), bytes)
    await build.give(2)
    await waitUntil(() => build.results.size === 2)
    expect(await build.outcomeOf(2)).toMatchObject({ ok: true })
  })

  it.each([
    ['a path outside', { task: { file: '../x', offset: 0, bytes: 8, crc: 1 } }],
    ['an id that is a path', { id: '1.0/../../x' }],
    ['a name that is no task', { name: 'toString' as never }],
    ['another version', { version: '0.0.1' }],
  ])('survives a forged job: %s', async (_, changes) => {
    const build = await openBuild()
    writeFileSync(build.fileOf(2), new Uint8Array(SEGMENT_HEADER_BYTES + 8))
    await build.announce()
    startWorker(server.url, sharedDir)
    await build.give(1, changes)
    await build.give(2)
    await waitUntil(() => build.results.has('2.0'))
    expect(await build.outcomeOf(2)).toMatchObject({ ok: true })
    await waitUntil(() => build.results.size + build.failures.size === 2)
    expect(readdirSync(sharedDir)).toEqual([build.notice.queue])
  })

  it('says what it does for a build', async () => {
    useWaitingTasks()
    const build = await openBuild()
    await build.announce()
    startWorker(server.url, sharedDir, { memory: '100MB' })
    for (const id of [1, 2, 3]) await build.give(id)
    await waitUntil(async () => (await build.hosts())[0]?.running === 2)
    const [notice] = await build.hosts()
    expect(notice).toMatchObject({ state: 'working', reason: '', threads: 2, slots: 2, memoryBytes: 100e6 })
    expect(notice.rssBytes).toBeGreaterThan(1e6)
    expect(notice.host).toMatch(/^[\w.-]+$/)
    for (const id of [1, 2, 3]) build.end(id)
    await waitUntil(async () => (await build.hosts())[0]?.done === 3)
    expect((await build.hosts())[0]).toMatchObject({ running: 0, busySeconds: 6 })
  })

  it('runs as many tasks at once as its memory allows', async () => {
    useWaitingTasks()
    const build = await openBuild({ taskBytes: 60e6 })
    await build.announce()
    startWorker(server.url, sharedDir, { memory: '100MB' })
    await build.give(1)
    await build.give(2)
    await waitUntil(() => hasBegun(build, 1))
    expect(await build.hosts()).toMatchObject([{ slots: 1 }])
    expect(hasBegun(build, 2)).toBe(false)
    build.end(1)
    await waitUntil(() => hasBegun(build, 2))
  })

  it.each([
    ['of another version', { version: '9.9.9' }, /^is [\d.]+, the build 9\.9\.9: install the same version$/],
    [
      'whose marker is another one',
      { marker: { file: 'nothing', text: 'x' } },
      /^does not see the shared folder of this build: expected .*\/nothing \(ENOENT/,
    ],
    [
      'whose tasks are larger than its memory',
      { hostBytes: 60e6, taskBytes: 70e6 },
      /^has 100 MB of memory, and one task of the build needs 130 MB: --memory 130MB$/,
    ],
  ])('refuses a build %s, says why, and takes none of its tasks', async (_, changes, reason) => {
    const build = await openBuild()
    await build.announce(changes)
    const { messages } = startWorker(server.url, sharedDir, { memory: '100MB' })
    await build.give(1)
    await waitUntil(async () => (await build.hosts()).length === 1)
    const [notice] = await build.hosts()
    expect(notice).toMatchObject({ state: 'refused', slots: 0 })
    expect(notice.reason).toMatch(reason)
    expect((await build.queue.states(['1.0'])).get('1.0')).toMatchObject({ state: 'waiting' })
    expect(messages.filter((message) => message.includes(notice.reason))).toHaveLength(1)
  })

  it('works for a build that it refused, once it sees its folder', async () => {
    useWaitingTasks()
    const build = await openBuild()
    const marker = { file: `${build.files.relativeFolder}/later`, text: 'now' }
    await build.announce({ marker })
    startWorker(server.url, sharedDir)
    await build.give(1)
    await waitUntil(async () => (await build.hosts())[0]?.state === 'refused')
    writeFileSync(join(sharedDir, marker.file), 'now')
    await waitUntil(() => hasBegun(build, 1))
  })

  it('works for two builds: the next free thread is for the one that has none', async () => {
    useWaitingTasks()
    const [one, two] = [await openBuild(), await openBuild()]
    await one.announce()
    await two.announce()
    startWorker(server.url, sharedDir)
    for (const id of [1, 2, 3, 4]) await one.give(id)
    await waitUntil(() => hasBegun(one, 1) && hasBegun(one, 2))
    await two.give(1)
    await waitUntil(async () => (await two.hosts())[0]?.running === 1)
    one.end(1)
    await waitUntil(() => hasBegun(two, 1))
    expect(hasBegun(one, 3)).toBe(false)
    two.end(1)
    for (const id of [2, 3, 4]) one.end(id)
    await waitUntil(() => one.results.size === 4 && two.results.size === 1)
  })

  it('that is told to end finishes what runs within its grace, and takes no more', async () => {
    useWaitingTasks()
    const build = await openBuild()
    await build.announce()
    const worker = startWorker(server.url, sharedDir, { threads: 1, graceSeconds: 60 })
    await build.give(1)
    await build.give(2)
    await waitUntil(() => hasBegun(build, 1))
    const ended = worker.stop()
    await waitUntil(async () => (await build.hosts())[0]?.state === 'ending')
    build.end(1)
    expect(await ended).toMatchObject({ builds: 1, tasks: 1, busySeconds: 2 })
    expect(await build.outcomeOf(1)).toMatchObject({ ok: true })
    expect(hasBegun(build, 2)).toBe(false)
  })

  it('that has no grace left gives its tasks back at once, and leaves no files of them', async () => {
    useWaitingTasks()
    const build = await openBuild()
    await build.announce()
    const worker = startWorker(server.url, sharedDir)
    await build.give(1)
    await waitUntil(() => hasBegun(build, 1))
    expect(await worker.stop()).toMatchObject({ tasks: 0 })
    expect((await build.queue.states(['1.0'])).get('1.0')).toMatchObject({ state: 'waiting' })
    expect(readdirSync(join(sharedDir, build.files.relativeFolder)).sort()).toEqual(['1.task', 'marker'])
    startWorker(server.url, sharedDir)
    await waitUntil(() => readFileSync(`${build.fileOf(1)}.begun`, 'utf8') === '..')
  })

  it('ends by itself when no build is left', async () => {
    const worker = startWorker(server.url, sharedDir, { untilIdleSeconds: 0.1 })
    expect(await worker.ended).toMatchObject({ builds: 0, tasks: 0 })
  })

  it('goes on when Redis comes back without its data: the result of a task is not lost', async () => {
    useWaitingTasks()
    const build = await openBuild()
    await build.announce()
    const { messages } = startWorker(server.url, sharedDir)
    await build.give(1)
    await waitUntil(() => hasBegun(build, 1))
    await server.kill()
    await waitUntil(() => messages.some((message) => message.includes('is lost')))
    await server.restart()
    await waitUntil(() => messages.some((message) => message.includes('is back')))
    build.end(1)
    await build.announce()
    await build.give(2)
    build.end(2)
    await waitUntil(() => hasBegun(build, 2))
    await waitUntil(async () => {
      await build.queue.states(['1.0', '2.0'])
      return build.results.size === 2
    })
    expect(readFileSync(`${build.fileOf(1)}.begun`, 'utf8')).toBe('.')
  })

  it('gives up the tasks of a build that is there no more, or another run of which has begun', async () => {
    useWaitingTasks()
    const build = await openBuild()
    await build.announce()
    startWorker(server.url, sharedDir, { threads: 1 })
    await build.give(1)
    await waitUntil(() => hasBegun(build, 1))
    const other = await openBuild()
    await build.announce({ results: other.files.relativeFolder })
    await waitUntil(async () => (await build.hosts())[0]?.running === 0)
    await other.announce()
    await other.give(1)
    await waitUntil(() => hasBegun(other, 1))
  })
})
