/** Threads that are ended while they load must not take the process with them. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { WorkerPool } from '../../src/tasks/worker-pool.js'
import { makeFolder } from '../fixtures/builds.js'
import { WHOLE } from '../whole.js'

const CHILD = fileURLToPath(new URL('abort-child.mjs', import.meta.url))
const ABORTS = WHOLE ? 150 : 50

// With an ES module as the entry, one abort in 50 ended the process with SIGABRT on Node.js 20, one in 230 on 24.
it(`${ABORTS} aborts at all moments of a start leave the process alive`, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, makeFolder(), String(ABORTS)])
  expect(Number(stdout)).toBeGreaterThan(ABORTS / 4)
})

it('threads load CommonJS, which `require` can be stopped in', () => {
  expect(WorkerPool.entryUrl.pathname).toMatch(/\.cjs$/)
})
