import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import { JobQueue } from '../../../src/cluster/redis/job-queue.js'
import { JobWorker } from '../../../src/cluster/redis/job-worker.js'
import type { RedisClient } from '../../../src/cluster/redis/load-redis.js'
import type { TaskDone, TaskJob } from '../../../src/cluster/messages.js'
import { hasRedis, NO_REDIS, startRedis, type RedisServer } from '../redis-server.js'

const PLACE = { file: 'results/1.task', offset: 0, bytes: 8, crc: 1 }

function job(id: string): TaskJob {
  return { version: '1.0.0', id, name: 'shard', label: `shard ${id}`, task: PLACE }
}

function done({ id }: TaskJob, host = 'host-a'): TaskDone {
  return { id, host, outcome: { ...PLACE, file: `results/${id}.done` } }
}

describe.skipIf(!hasRedis)(`the queue of a build (else: ${NO_REDIS})`, () => {
  let server: RedisServer
  let client: RedisClient
  const closing: (() => Promise<void>)[] = []

  beforeAll(async () => {
    server = await startRedis()
    client = await connectRedis(server.url, 'a test')
  })

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  afterAll(async () => {
    await closeRedis(client)
    await server.stop()
  })

  it('takes jobs to a host and their results back', async () => {
    const queue = await JobQueue.open(client, 'shardloom-0', { onTrouble: (message) => expect.fail(message) })
    closing.push(() => queue.close())
    const results: TaskDone[] = []
    const finished = new Promise<void>((resolve) =>
      queue.onDone((result) => {
        if (results.push(result) === 3) resolve()
      }),
    )
    const worker = await JobWorker.open(client, 'shardloom-0', {
      host: 'host-a',
      lockSeconds: 30,
      concurrency: 2,
      run: async (given) => done(given),
      onTrouble: (message) => expect.fail(message),
    })
    closing.push(() => worker.close(1))
    for (const id of ['1.0', '2.0', '3.0']) await queue.add(job(id))
    await finished
    expect(results).toEqual(['1.0', '2.0', '3.0'].map((id) => done(job(id))))
    await worker.close(1)
    expect(worker.reported).toBe(3)
  })
})
