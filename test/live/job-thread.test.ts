import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { CorruptIndexError, IndexClosedError, WorkerFailedError } from '../../src/errors.js'
import { JobThread } from '../../src/live/jobs/job-thread.js'
import { makeFolder } from '../fixtures/tasks.js'

/** Says in which thread it ran, as a job that seals says which part it made. */
const WORKS = `
const { threadId } = require('node:worker_threads')
module.exports = async ({ job }) => ({ ok: true, value: { threadId, job } })
`
/** `fails` is done once, by whichever thread comes first. */
const failsOnce = (flag: string, fails: string): string => `
const fs = require('node:fs')
if (!fs.existsSync(${JSON.stringify(flag)})) {
  fs.writeFileSync(${JSON.stringify(flag)}, '')
  ${fails}
}
${WORKS}`

interface Done {
  readonly threadId: number
  readonly job: unknown
}

const threads: JobThread[] = []
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.close()
})

/** A thread whose entry is `code`, which may name the file `flag`. */
function startThread(code: (flag: string) => string): {
  readonly run: (job?: unknown) => Promise<Done>
  readonly retries: unknown[]
  readonly become: (code: string) => void
  readonly flag: string
  readonly thread: JobThread
} {
  const folder = makeFolder()
  const [entry, flag] = [join(folder, 'entry.cjs'), join(folder, 'flag')]
  writeFileSync(entry, code(flag))
  const retries: unknown[] = []
  const onRetry = (job: string, cause: unknown): void => void retries.push([job, String(cause)])
  const thread = new JobThread('an.index', { onRetry, entry: pathToFileURL(entry) })
  threads.push(thread)
  const run = (job: unknown = 1): Promise<Done> => thread.run('seal', job as never) as unknown as Promise<Done>
  return { run, retries, become: (text) => writeFileSync(entry, text), flag, thread }
}

it.each([
  ['cannot load its entry', "throw new Error('no such module')", 'no such module'],
  ['ends itself while it starts', 'process.exit(3)', 'the thread ended before it took a job'],
  ['ends itself in the middle of the job', 'module.exports = async () => process.exit(3)', 'exited with code: 3'],
])('a job whose thread %s, twice, is rejected', async (_, code, reason) => {
  const { run, retries } = startThread(() => code)
  const error: unknown = await run().catch((failure: unknown) => failure)
  expect(error).toBeInstanceOf(WorkerFailedError)
  expect(String(error)).toContain(`task seal failed twice, the second time on a fresh worker: `)
  expect(String(error)).toContain(reason)
  expect(retries).toHaveLength(1)
})

it('a job whose thread died runs once more, on a fresh thread, and the owner is told', async () => {
  const { run, retries, flag } = startThread((file) => failsOnce(file, 'process.exit(3)'))
  // What it is given is there again.
  const vectors = Float32Array.of(1, 2)
  expect((await run({ vectors })).job).toEqual({ vectors })
  expect(existsSync(flag)).toBe(true)
  expect(retries).toEqual([['seal', 'Error: the thread ended before it took a job']])
})

it('jobs after one that was rejected have a thread again', async () => {
  const { run, become } = startThread(() => "throw new Error('no such module')")
  await expect(run()).rejects.toBeInstanceOf(WorkerFailedError)
  become(WORKS)
  const first = await run()
  expect((await run()).threadId).toBe(first.threadId)
})

it('a job that fails with an error of ours does not run again', async () => {
  const failure = { name: 'CorruptIndexError', message: 'damaged', fields: { code: 'SHARDLOOM_CORRUPT_INDEX' } }
  const { run, retries } = startThread(
    () => `module.exports = async () => ({ ok: false, error: ${JSON.stringify(failure)} })`,
  )
  await expect(run()).rejects.toBeInstanceOf(CorruptIndexError)
  expect(retries).toEqual([])
})

it('a job that is ended by a close says so, and is not run again', async () => {
  const { run, retries, flag, thread } = startThread(
    (file) => `
      require('node:fs').writeFileSync(${JSON.stringify(file)}, '')
      module.exports = () => new Promise((resolve) => setTimeout(resolve, 600_000))`,
  )
  const ended = run().catch((error: unknown) => error)
  while (!existsSync(flag)) await new Promise((resolve) => setImmediate(resolve))
  await thread.close()
  expect(await ended).toBeInstanceOf(IndexClosedError)
  expect(retries).toEqual([])
  await expect(run()).rejects.toBeInstanceOf(IndexClosedError)
})
