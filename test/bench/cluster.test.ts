import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const TESTS = fileURLToPath(new URL('../../bench/test/cluster.test.mjs', import.meta.url))

it('the figures of builds on hosts and of replicas are computed as bench/test/cluster.test.mjs says', () => {
  // It needs nothing that is built, and no peer.
  const { status, stdout } = spawnSync(process.execPath, ['--test', TESTS], { encoding: 'utf8' })
  expect(stdout).toContain('# fail 0')
  expect(status).toBe(0)
})
