/** A build as a worker sees it: its notice, its queue, its files; and workers in this process. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach } from 'vitest'
import type { WorkerOptions, WorkerSummary } from '../../../src/api/worker.js'
import type { HostOutcome } from '../../../src/cluster/files/outcome.js'
import { TaskFiles } from '../../../src/cluster/files/task-files.js'
import type { BuildNotice, HostNotice, TaskDone, TaskJob } from '../../../src/cluster/messages.js'
import { BuildBoard } from '../../../src/cluster/redis/build-board.js'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import { JobQueue } from '../../../src/cluster/redis/job-queue.js'
import { runWorker } from '../../../src/cluster/worker/run-worker.js'
import { packageVersion } from '../../../src/host/package-version.js'
import type { LongestTask } from '../../../src/tasks/link/longest-task.js'
import { WorkerPool } from '../../../src/tasks/worker-pool.js'
import { makeFolder } from '../../fixtures/tasks.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Its tasks say that they begin, and run until a file says that they may end. */
const WAITING_WORKER = `
const { appendFileSync, existsSync } = require('node:fs')
module.exports = async ({ task: { vectors: { path }, wanted } }) => {
  appendFileSync(path + '.begun', '.')
  while (!existsSync(path + '.end')) await new Promise((resolve) => setTimeout(resolve, 10))
  const value = { nodes: Uint32Array.of(wanted), squaredNorms: new Float64Array(0), lengthSum: 0 }
  return { ok: true, value, busyMs: 2000, tileMs: 1 }
}
`

/** The threads of workers run tasks that wait for `end`. */
export function useWaitingTasks(): void {
  const file = join(makeFolder(), 'worker.js')
  writeFileSync(file, WAITING_WORKER)
  const before = WorkerPool.entryUrl
  WorkerPool.entryUrl = pathToFileURL(file)
  closing.push(async () => {
    WorkerPool.entryUrl = before
  })
}

export interface TestBuild {
  readonly files: TaskFiles
  readonly queue: JobQueue
  readonly notice: BuildNotice
  readonly results: Map<string, TaskDone>
  readonly failures: Map<string, string>
  /** The coordinator's path of the file that tasks of this number wait for. */
  fileOf(id: number): string
  announce(changes?: Partial<BuildNotice>): Promise<void>
  withdraw(): Promise<void>
  hosts(): Promise<HostNotice[]>
  /** Queues a task whose result is its own number. */
  give(id: number, changes?: Partial<TaskJob>): Promise<void>
  /** Lets it end. */
  end(id: number): void
  outcomeOf(id: number): Promise<HostOutcome<'longest'>>
}

export async function openTestBuild(
  url: string,
  sharedDir: string,
  name: string,
  given: Partial<BuildNotice> = {},
): Promise<TestBuild> {
  const client = await connectRedis(url, 'a test')
  closing.push(() => closeRedis(client))
  const board = new BuildBoard(client)
  const folder = join(sharedDir, name)
  mkdirSync(folder)
  const files = new TaskFiles(sharedDir, join(folder, 'results'))
  await files.open()
  writeFileSync(join(folder, 'results', 'marker'), name)
  const queue = await JobQueue.open(client, name, { onTrouble: () => undefined })
  closing.push(async () => {
    await queue.close()
    await board.withdraw(name)
  })
  const results = new Map<string, TaskDone>()
  const failures = new Map<string, string>()
  queue.onDone((done) => results.set(done.id, done))
  queue.onFailed((id, reason) => failures.set(id, reason))
  const notice: BuildNotice = {
    queue: name,
    version: packageVersion(),
    marker: { file: `${files.relativeFolder}/marker`, text: name },
    results: files.relativeFolder,
    stage: 'shards',
    hostBytes: 1e6,
    taskBytes: 1e6,
    lockSeconds: 30,
    at: Date.now(),
    ...given,
  }
  const fileOf = (id: number): string => join(folder, `task-${id}`)
  const taskOf = (id: number): LongestTask => {
    return { vectors: { path: fileOf(id), firstNode: 0, count: 1 }, dimensions: 2, wanted: id }
  }
  return {
    files,
    queue,
    notice,
    results,
    failures,
    fileOf,
    announce: (changes) => board.announce({ ...notice, ...changes }),
    withdraw: () => board.withdraw(name),
    hosts: () => board.hosts(name),
    async give(id, changes) {
      const task = await files.encode(String(id), 'longest', taskOf(id))
      const job: TaskJob = { version: notice.version, id: `${id}.0`, name: 'longest', label: `task ${id}`, task }
      await queue.add({ ...job, ...changes })
    },
    end: (id) => writeFileSync(`${fileOf(id)}.end`, ''),
    async outcomeOf(id) {
      const done = results.get(`${id}.0`)
      if (done === undefined) throw new Error(`task ${id} is not done`)
      return files.readOutcome('longest', taskOf(id), done)
    },
  }
}

export interface TestWorker {
  readonly messages: string[]
  stop(): Promise<WorkerSummary>
  readonly ended: Promise<WorkerSummary>
}

/** A worker that a test need not stop. */
export function startWorker(url: string, sharedDir: string, options: Partial<WorkerOptions> = {}): TestWorker {
  const controller = new AbortController()
  const messages: string[] = []
  const tell = (message: string): void => void messages.push(message)
  const ended = runWorker({
    connection: url,
    sharedDir,
    threads: 2,
    signal: controller.signal,
    logger: { info: tell, warn: tell },
    graceSeconds: 0,
    ...options,
  })
  const stop = (): Promise<WorkerSummary> => {
    controller.abort()
    return ended
  }
  closing.push(async () => void (await stop()))
  return { messages, stop, ended }
}
