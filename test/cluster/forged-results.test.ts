/** A host that answers with what is no result: each counts as a failed attempt, and the build has the right bytes. */
import { symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../spill/files/crc32.js'
import type { Place, TaskJob } from '../../src/cluster/messages.js'
import { makeFolder } from '../fixtures/builds.js'
import { some } from '../whole.js'
import { ClusterSite, eventsOf } from './cluster-site.js'
import { EvilHost } from './evil-host.js'
import { hasRedis, NO_REDIS } from './redis-server.js'

interface Forging {
  readonly job: TaskJob
  readonly host: EvilHost
  readonly site: ClusterSite
}

const GARBAGE = Buffer.alloc(300, 'no result')
const placeOf = (file: string): Place => ({ file, offset: 0, bytes: GARBAGE.length, crc: crc32(GARBAGE) })
let files = 0

/** A file in the folder of results, with a name that the host may give. */
function ownFile({ job, host, site }: Forging, bytes = GARBAGE): string {
  const file = `${host.build.results}/${job.id}.forged-${files++}.done`
  writeFileSync(path.join(site.sharedDir, file), bytes)
  return file
}

function fileElsewhere(): string {
  const file = path.join(makeFolder(), 'elsewhere.done')
  writeFileSync(file, GARBAGE)
  return file
}

const FORGERIES: readonly (readonly [string, (forging: Forging) => unknown])[] = [
  ['a file of garbage', (forging) => forging.host.done(forging.job, placeOf(ownFile(forging)))],
  ['a link that leads out of the folder', (forging) => {
    const file = `${forging.host.build.results}/${forging.job.id}.link-${files++}.done`
    symlinkSync(fileElsewhere(), path.join(forging.site.sharedDir, file))
    return forging.host.done(forging.job, placeOf(file))
  }],
  ['a text', () => 'done'],
  ['nothing', () => undefined],
  ['the result of another task', (forging) => ({ ...forging.host.done(forging.job, placeOf(ownFile(forging))), id: '999.0' })],
  ['a file that is not there', ({ job, host }) => host.done(job, placeOf(`${host.build.results}/${job.id}.none.done`))],
  ['a file above the folder', ({ job, host, site }) => {
    const file = path.relative(site.sharedDir, fileElsewhere())
    return host.done(job, placeOf(file))
  }],
  ['an absolute path', ({ job, host }) => host.done(job, placeOf(fileElsewhere()))],
  ['the task itself', ({ job, host }) => host.done(job, job.task)],
  ['another checksum', (forging) => forging.host.done(forging.job, { ...placeOf(ownFile(forging)), crc: 1 })],
  ['a petabyte', (forging) => forging.host.done(forging.job, { ...placeOf(ownFile(forging)), bytes: 2 ** 50 })],
  ['half a byte', (forging) => forging.host.done(forging.job, { ...placeOf(ownFile(forging)), bytes: 0.5 })],
  ['a failure of its own', () => {
    throw new Error('out of order')
  }],
] // prettier-ignore

describe.skipIf(!hasRedis)(`a build on hosts${hasRedis ? '' : ` (skipped: ${NO_REDIS})`}`, () => {
  it.for(some(FORGERIES, 6))('does not take %s for a result', async ([, forge]) => {
    const site = await ClusterSite.open()
    const building = await site.begin()
    const evil = await EvilHost.join(site.redis.url, async (job, host) => {
      if (host.got.length > 2) return new Promise(() => undefined)
      return forge({ job, host, site })
    })
    await site.until(() => evil.got.length > 2 || undefined)
    await evil.close()
    await site.host()
    const built = await building.ended()
    expect(eventsOf(built, 'task-retried')).toHaveLength(2)
  })
})
