import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import type { RedisClient } from '../../../src/cluster/redis/load-redis.js'
import { queueOptions } from '../../../src/cluster/redis/queue-options.js'
import { startProxy } from '../redis-proxy.js'
import { hasRedis, startRedis, type RedisServer } from '../redis-server.js'
import { waitUntil } from '../wait-until.js'
import { doneOf, jobOf, openQueue, openWorker, type TestQueue } from './test-jobs.js'

describe.skipIf(!hasRedis)('a worker of a queue', () => {
  let server: RedisServer
  let client: RedisClient
  let number = 0
  let name = ''
  let test: TestQueue

  beforeAll(async () => {
    server = await startRedis()
    client = await connectRedis(server.url, 'a test')
  })

  beforeEach(async () => {
    name = `shardloom-${++number}`
    test = await openQueue(client, name)
  })

  afterAll(async () => {
    await closeRedis(client)
    await server.stop()
  })

  async function addJobs(...ids: string[]): Promise<void> {
    for (const id of ids) await test.queue.add(jobOf(id))
  }

  const stateOf = async (id: string): Promise<string | undefined> => (await test.queue.states([id])).get(id)?.state

  it('runs as many jobs at once as it is told, also while others run', async () => {
    const { worker, begun, end } = await openWorker(client, name, { concurrency: 2 })
    await addJobs('1.0', '2.0', '3.0', '4.0', '5.0')
    await waitUntil(() => begun.length === 2)
    worker.concurrency = 4
    await waitUntil(() => begun.length === 4)
    expect(worker.running).toBe(4)
    worker.concurrency = 1
    for (const id of ['1.0', '2.0', '3.0']) end(id)
    await waitUntil(() => worker.running === 1)
    expect(await stateOf('5.0')).toBe('waiting')
    end('4.0')
    await waitUntil(() => begun.length === 5)
  })

  it('takes no job with 0 slots, until there are some', async () => {
    const { worker, begun } = await openWorker(client, name, { concurrency: 0 })
    await addJobs('1.0')
    expect(await stateOf('1.0')).toBe('waiting')
    worker.concurrency = 1
    await waitUntil(() => begun.length === 1)
  })

  it('takes no job while it pauses, not even one that it waited for', async () => {
    const { worker, begun } = await openWorker(client, name)
    const waits = new RegExp(`name=\\S+:w:host-a .*cmd=bzpopmin`)
    await waitUntil(async () => waits.test(String(await client.client('LIST'))))
    worker.pause()
    await addJobs('1.0')
    const other = await openWorker(client, name, { host: 'host-b' })
    await waitUntil(() => other.begun.length === 1)
    expect(begun).toEqual([])
    await addJobs('2.0')
    worker.resume()
    await waitUntil(() => begun.length === 1)
  })

  it('keeps a job that runs for longer than the lock time', async () => {
    const { begun, end } = await openWorker(client, name, { lockSeconds: 1 })
    const other = await openWorker(client, name, { host: 'host-b', lockSeconds: 1 })
    await addJobs('1.0', '2.0')
    await waitUntil(() => begun.length === 1 && other.begun.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    end(begun[0])
    other.end(other.begun[0])
    await waitUntil(() => test.results.length === 2)
    expect(test.stalled).toEqual([])
    expect([...begun, ...other.begun].sort()).toEqual(['1.0', '2.0'])
  })

  it('gives back what runs to other hosts at once, and says so to it', async () => {
    const { worker, begun, aborted, end } = await openWorker(client, name, { concurrency: 2 })
    await addJobs('1.0', '2.0')
    await waitUntil(() => begun.length === 2)
    expect(await worker.giveBack()).toBe(2)
    expect(aborted.sort()).toEqual(['1.0', '2.0'])
    expect(worker.running).toBe(0)
    const other = await openWorker(client, name, { host: 'host-b', concurrency: 2, isQuick: true })
    await waitUntil(() => test.results.length === 2)
    expect(other.begun.sort()).toEqual(['1.0', '2.0'])
    // What it was doing may come to an end: it is another host's, and not told.
    end('1.0')
    for (let i = 0; i < 5; i++) await test.queue.states([])
    expect(test.results.map(({ host }) => host)).toEqual(['host-b', 'host-b'])
    expect(worker.late).toBe(0)
  })

  it('finishes what runs when it is closed, if there is time', async () => {
    const { worker, begun, end } = await openWorker(client, name, { concurrency: 2 })
    await addJobs('1.0', '2.0', '3.0')
    await waitUntil(() => begun.length === 2)
    const closed = worker.close(60)
    for (const id of ['1.0', '2.0']) end(id)
    await closed
    await waitUntil(() => test.results.length === 2)
    expect(await stateOf('3.0')).toBe('waiting')
  })

  it('gives back what is not done in time when it is closed', async () => {
    const { worker, begun, aborted } = await openWorker(client, name)
    await addJobs('1.0')
    await waitUntil(() => begun.length === 1)
    await worker.close(0.1)
    expect(aborted).toEqual(['1.0'])
    expect(await stateOf('1.0')).toBe('waiting')
  })

  it('fails a job whose data are not readable', async () => {
    const { begun } = await openWorker(client, name)
    const other = new Queue(name, queueOptions(client))
    await addJobs('1.0')
    await waitUntil(() => begun.length === 1)
    await addJobs('2.0')
    const [waiting] = await other.getWaiting()
    await waiting.updateData({ ...jobOf('2.0'), task: { file: 7 } })
    const { troubles } = await openWorker(client, name, { host: 'host-b' })
    await waitUntil(() => test.failures.length === 1)
    expect(test.failures).toEqual(['2.0 on host-b: its data in Redis are not readable'])
    expect(troubles).toEqual([])
    await other.close()
  })

  describe('that cannot reach Redis', () => {
    it('loses its jobs to another host after the lock time, and its own results still count', async () => {
      const proxy = await startProxy(server.port)
      const far = await connectRedis(proxy.url, 'a test')
      const away = await openWorker(far, name, { host: 'host-away', lockSeconds: 1 })
      await addJobs('1.0')
      await waitUntil(() => away.begun.length === 1)
      proxy.cut()
      const near = await openWorker(client, name, { host: 'host-near', lockSeconds: 1 })
      await waitUntil(() => near.begun.length === 1)
      expect(test.stalled).toEqual(['1.0'])
      away.end('1.0')
      proxy.mend()
      await waitUntil(() => away.worker.late === 1)
      await test.queue.states([])
      expect(test.results).toEqual([doneOf('1.0', 'host-away')])
      near.end('1.0')
      await waitUntil(() => test.results.length === 2)
      expect(away.aborted).toEqual([])
      await away.worker.close(0)
      await closeRedis(far)
      await proxy.close()
    })

    it('reports what it has done when it reaches it in time', async () => {
      const proxy = await startProxy(server.port)
      const far = await connectRedis(proxy.url, 'a test')
      const { worker, begun, end } = await openWorker(far, name)
      await addJobs('1.0', '2.0')
      await waitUntil(() => begun.length === 1)
      proxy.cut()
      end('1.0')
      proxy.mend()
      await waitUntil(() => begun.length === 2)
      expect(test.results).toEqual([doneOf('1.0')])
      expect([worker.reported, worker.late]).toEqual([1, 0])
      await worker.close(0)
      await closeRedis(far)
      await proxy.close()
    })

    it('leaves no connection, whenever it is closed', async () => {
      const proxy = await startProxy(server.port)
      const far = await connectRedis(proxy.url, 'a test')
      const hosts = ['host-1', 'host-2', 'host-3', 'host-4', 'host-5', 'host-6']
      const workers = await Promise.all(hosts.map((host) => openWorker(far, name, { host })))
      const connections = async (): Promise<string[]> => String(await client.client('LIST')).match(/:w:host-\d/g) ?? []
      await waitUntil(async () => (await connections()).length === hosts.length)
      proxy.cut()
      // BullMQ makes a connection again on which nothing came for 3 s.
      await new Promise((resolve) => setTimeout(resolve, 2900))
      proxy.mend()
      for (const { worker } of workers) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        void worker.close(0)
      }
      await Promise.all(workers.map(({ worker }) => worker.close(0)))
      await closeRedis(far)
      await waitUntil(async () => (await connections()).length === 0)
      await proxy.close()
    })

    it('leaves its jobs to the lock time when it is closed', async () => {
      const proxy = await startProxy(server.port)
      const far = await connectRedis(proxy.url, 'a test')
      const { worker, begun, aborted } = await openWorker(far, name, { lockSeconds: 1 })
      await addJobs('1.0')
      await waitUntil(() => begun.length === 1)
      proxy.cut()
      await waitUntil(() => far.status === 'reconnecting')
      await worker.close(0)
      expect(aborted).toEqual(['1.0'])
      const near = await openWorker(client, name, { host: 'host-near', lockSeconds: 1 })
      await waitUntil(() => near.begun.length === 1)
      await closeRedis(far)
      await proxy.close()
    })
  })
})
