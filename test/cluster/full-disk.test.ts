/** A shared folder that gets full: a small tmpfs, which only root can mount. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiskFullError } from '../../dist/src/index.js'
import { makeFolder } from '../fixtures/builds.js'
import { some } from '../whole.js'
import { ClusterSite } from './cluster-site.js'
import { hasRedis, NO_REDIS } from './redis-server.js'

const PLENTY_KIB = 65_536

function mountDisk(kib: number): string | undefined {
  const disk = join(makeFolder(), 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return disk
}

describe.skipIf(!hasRedis)(`a build on hosts${hasRedis ? '' : ` (skipped: ${NO_REDIS})`}`, () => {
  it.for(some([800, 1200, 1600, 400], 2))(
    'whose shared folder gets full at %i KiB is DiskFullError, and goes on to the same bytes with more room',
    async (kib, { skip }) => {
      const disk = mountDisk(kib)
      if (disk === undefined) {
        skip('mounting a tmpfs needs root')
        return
      }
      // Registered first, so that it runs when the hosts and the Redis have ended.
      onTestFinished(() => void execFileSync('umount', ['-l', disk]))
      const site = await ClusterSite.open(disk)
      await site.host()
      await site.host()
      const failure = await site.build().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(failure).toBeInstanceOf(DiskFullError)
      execFileSync('mount', ['-o', `remount,size=${PLENTY_KIB}k`, disk], { stdio: 'ignore' })
      await site.build()
    },
  )
})
