/** Hosts and a shared folder that fail: the build has the bytes of one machine, and says what went wrong. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { contentsOf, makeFolder } from '../fixtures/builds.js'
import { REPOSITORY } from '../examples/run.js'
import { some, WHOLE } from '../whole.js'
import { ClusterSite, eventsOf, RESULTS, tasksOf } from './cluster-site.js'
import { hasRedis, NO_REDIS } from './redis-server.js'

/** The command line as a package of another version has it. */
function programOfVersion(version: string): string {
  const folder = makeFolder()
  cpSync(join(REPOSITORY, 'dist/bundle'), join(folder, 'dist/bundle'), { recursive: true })
  const facts = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as object
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...facts, version }))
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist/bundle/lib/main.js')
}

describe.skipIf(!hasRedis)(`a build on hosts${hasRedis ? '' : ` (skipped: ${NO_REDIS})`}`, () => {
  it('has the bytes of one machine, and leaves only the index', async () => {
    const site = await ClusterSite.open()
    await site.host()
    await site.host({ env: { SHARDLOOM_WIDE: '0' } })
    const built = await site.build()
    expect(built.report.hosts).toHaveLength(2)
    expect(tasksOf(built)).toBeGreaterThan(5)
    expect(readdirSync(site.sharedDir)).toEqual(['an.index'])
    expect(readdirSync(join(site.sharedDir, 'an.index')).sort()).toEqual(['CURRENT', built.report.generation])
  })

  it('goes on without a host of another version, and says which', async () => {
    const site = await ClusterSite.open()
    const other = await site.host({ program: programOfVersion('9.9.9') })
    const building = await site.begin()
    await site.refused()
    await site.host()
    const built = await building.ended()
    expect(eventsOf(built, 'worker-refused').join()).toContain('9.9.9')
    expect(built.report.hosts?.find(({ refused }) => refused !== undefined)).toMatchObject({ tasks: 0 })
    expect(other.isRunning).toBe(true)
  })

  it.runIf(WHOLE)('goes on without a host that sees another folder, and says which and why', async () => {
    const site = await ClusterSite.open()
    const elsewhere = join(makeFolder(), 'elsewhere')
    mkdirSync(elsewhere)
    await site.host({ sharedDir: elsewhere })
    const building = await site.begin()
    await site.refused()
    await site.host()
    const built = await building.ended()
    expect(eventsOf(built, 'worker-refused').join()).toContain('does not see the shared folder')
  })

  it.runIf(WHOLE)(
    'goes on without a host whose memory is too small for one task, and says how much it needs',
    async () => {
      const site = await ClusterSite.open()
      await site.host({ memory: '1MB' })
      const building = await site.begin()
      await site.refused()
      await site.host()
      expect(eventsOf(await building.ended(), 'worker-refused').join()).toContain('--memory')
    },
  )

  it.for(some([-3600, 3600, -40, 40], 4))(
    'takes the work of a host whose clock is %i s ahead',
    async (clockSeconds) => {
      const site = await ClusterSite.open()
      await site.host({}, { clockSeconds })
      const built = await site.build({ stallSeconds: 30 })
      expect(built.report.hosts).toHaveLength(1)
      expect(eventsOf(built, 'host-lost')).toEqual([])
    },
  )

  it.for(
    some(
      [
        ['whose disk is full for a while', 'ENOSPC'],
        ['whose folder fails for a while', 'EIO'],
        ['that has too many open files for a while', 'EMFILE'],
      ] as const,
      3,
    ),
  )('repeats the tasks of a host %s, and says so', async ([, code]) => {
    const site = await ClusterSite.open()
    const name = '^(?:create|open|write|writeFile|writev|truncate)$'
    await site.host({}, { refuse: { code, times: 1, name, path: RESULTS } })
    expect(eventsOf(await site.build(), 'task-retried')).toHaveLength(1)
  })

  it.for(some(['EROFS', 'EACCES', 'ENOSPC', 'EIO'], 4))(
    'goes on beside a host that never can write: %s',
    async (code) => {
      const site = await ClusterSite.open()
      const name = '^(?:create|open|write|writeFile|writev|truncate)$'
      await site.host({}, { refuse: { code, times: 1e9, name, path: RESULTS } })
      await site.host()
      const built = await site.build()
      expect(built.report.hosts?.filter(({ tasks }) => tasks > 0)).toHaveLength(1)
    },
  )

  it('takes the result of a host that was told to end while it worked', async () => {
    const site = await ClusterSite.open()
    const host = await site.host({}, { delay: { ms: 1500, times: 1, name: '^create$', path: String.raw`\.done$` } })
    const building = await site.begin()
    await site.busy()
    host.signal('SIGTERM')
    expect(await host.ended).toEqual({ code: 0, signal: null })
    await site.host()
    const built = await building.ended()
    expect(built.report.hosts?.map(({ tasks }) => tasks > 0)).toEqual([true, true])
    expect(eventsOf(built, 'host-lost')).toEqual([])
  })

  it('gets back what a host that was told to end has not done in time, long before its lock ends', async () => {
    const site = await ClusterSite.open()
    const slow = { delay: { ms: 6000, times: 1, name: '^create$', path: String.raw`\.done$` } }
    const host = await site.host({ flags: ['--grace-seconds', '0'] }, slow)
    const building = await site.begin({ cluster: { ...site.cluster, lockSeconds: 600 } })
    await site.busy()
    host.signal('SIGTERM')
    await site.host()
    await building.ended()
    expect(await host.ended).toEqual({ code: 0, signal: null })
  })

  it('goes on when a host is killed', async () => {
    const site = await ClusterSite.open()
    const slow = { delay: { ms: 60_000, times: 1, name: '^create$', path: String.raw`\.done$` } }
    const host = await site.host({}, slow)
    const building = await site.begin()
    await site.busy()
    host.signal('SIGKILL')
    await site.host()
    const built = await building.ended()
    expect(built.report.hosts?.reduce((sum, { lostTasks }) => sum + lostTasks, 0)).toBeGreaterThan(0)
  })

  it('is not touched by a host that wakes up when it is done, and works for the next build', async () => {
    const site = await ClusterSite.open()
    const host = await site.host({}, { delay: { ms: 1500, times: 1, name: '^create$', path: String.raw`\.done$` } })
    const building = await site.begin()
    await site.busy()
    host.signal('SIGSTOP')
    const other = await site.host()
    await building.ended()
    const before = contentsOf(site.sharedDir)
    host.signal('SIGCONT')
    await sleep(3000)
    expect(contentsOf(site.sharedDir)).toEqual(before)
    other.signal('SIGTERM')
    await other.ended
    const next = await site.build({ keepGenerations: 0 })
    expect(next.report.hosts?.filter(({ tasks }) => tasks > 0)).toHaveLength(1)
  })
})
