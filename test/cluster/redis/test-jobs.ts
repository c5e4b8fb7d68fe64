/** Jobs and their results, and a queue with workers that are closed after each test. */
import { afterEach, expect } from 'vitest'
import type { TaskDone, TaskJob } from '../../../src/cluster/messages.js'
import { JobQueue } from '../../../src/cluster/redis/job-queue.js'
import { JobWorker, type JobWorkerOptions } from '../../../src/cluster/redis/job-worker.js'
import type { RedisClient } from '../../../src/cluster/redis/load-redis.js'

const PLACE = { file: 'results/1.task', offset: 0, bytes: 8, crc: 1 }

export function jobOf(id: string): TaskJob {
  return { version: '1.0.0', id, name: 'shard', label: `shard ${id}`, task: PLACE }
}

export function doneOf(id: string, host = 'host-a'): TaskDone {
  return { id, host, outcome: { ...PLACE, file: `results/${id}.${host}.done` } }
}

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

export interface TestQueue {
  readonly queue: JobQueue
  readonly results: TaskDone[]
  readonly failures: string[]
  readonly stalled: string[]
  readonly troubles: string[]
}

/** `troubles`: whether the test expects any. */
export async function openQueue(client: RedisClient, name: string): Promise<TestQueue> {
  const troubles: string[] = []
  const queue = await JobQueue.open(client, name, { onTrouble: (message) => troubles.push(message) })
  closing.push(() => queue.close())
  const [results, failures, stalled]: [TaskDone[], string[], string[]] = [[], [], []]
  queue.onDone((result) => results.push(result))
  queue.onFailed((id, reason, host) => failures.push(`${id} on ${String(host)}: ${reason}`))
  queue.onStalled((id) => stalled.push(id))
  return { queue, results, failures, stalled, troubles }
}

export interface TestWorker {
  readonly worker: JobWorker
  readonly troubles: string[]
  /** Ids of the jobs that it began. */
  readonly begun: string[]
  /** Whose signal fired. */
  readonly aborted: string[]
  /** Ends a job that runs. */
  readonly end: (id: string) => void
}

/** A worker whose jobs run until they are ended; with `isQuick` they end at once. */
export async function openWorker(
  client: RedisClient,
  name: string,
  { isQuick = false, ...options }: Partial<JobWorkerOptions> & { readonly isQuick?: boolean } = {},
): Promise<TestWorker> {
  const [troubles, begun, aborted]: string[][] = [[], [], []]
  const ends = new Map<string, () => void>()
  const host = options.host ?? 'host-a'
  const worker = await JobWorker.open(client, name, {
    host,
    lockSeconds: 30,
    concurrency: 1,
    run: async (job, signal) => {
      begun.push(job.id)
      signal.addEventListener('abort', () => aborted.push(job.id))
      if (!isQuick) await new Promise<void>((resolve) => ends.set(job.id, resolve))
      return doneOf(job.id, host)
    },
    onTrouble: (message) => troubles.push(message),
    ...options,
  })
  closing.push(() => worker.close(0))
  return {
    worker,
    troubles,
    begun,
    aborted,
    end(id) {
      const end = ends.get(id)
      if (end === undefined) expect.fail(`${id} does not run`)
      end()
    },
  }
}
