import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BuildBoard } from '../../../src/cluster/redis/build-board.js'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import { JobQueue } from '../../../src/cluster/redis/job-queue.js'
import type { RedisClient } from '../../../src/cluster/redis/load-redis.js'
import { queueOptions } from '../../../src/cluster/redis/queue-options.js'
import { ClusterError } from '../../../src/errors.js'
import { hasRedis, startRedis, type RedisServer } from '../redis-server.js'
import { waitUntil } from '../wait-until.js'
import { doneOf, jobOf, openQueue, openWorker } from './test-jobs.js'

describe.skipIf(!hasRedis)('the queue of a build', () => {
  let server: RedisServer
  let client: RedisClient
  let number = 0
  let name = ''

  beforeAll(async () => {
    server = await startRedis()
    client = await connectRedis(server.url, 'a test')
  })

  beforeEach(() => {
    name = `shardloom-${++number}`
  })

  afterAll(async () => {
    await closeRedis(client)
    await server.stop()
  })

  it('takes jobs to a host, in their order, and results back', async () => {
    const { queue, results, troubles } = await openQueue(client, name)
    const { begun } = await openWorker(client, name, { isQuick: true })
    const ids = ['1.0', '2.0', '3.0', '4.0']
    for (const id of ids) await queue.add(jobOf(id))
    await waitUntil(() => results.length === ids.length)
    expect(begun).toEqual(ids)
    expect(results).toEqual(ids.map((id) => doneOf(id)))
    expect(troubles).toEqual([])
  })

  it('tells who has a job, whether it is done, and what is lost', async () => {
    const { queue, results, failures } = await openQueue(client, name)
    const failing = { concurrency: 1, run: () => Promise.reject(new Error('the disk is full')) }
    await queue.add(jobOf('1.0'))
    const first = await openWorker(client, name, { host: 'host-b', ...failing })
    await waitUntil(() => failures.length === 1)
    await first.worker.close(0)
    const { end } = await openWorker(client, name, { concurrency: 2 })
    await queue.add(jobOf('2.0'))
    await waitUntil(async () => (await queue.states(['2.0'])).get('2.0')?.state === 'active')
    end('2.0')
    await waitUntil(() => results.length === 1)
    await queue.add(jobOf('3.0'))
    await queue.add(jobOf('4.0'))
    await queue.add(jobOf('5.0'))
    await waitUntil(async () => (await queue.states(['4.0'])).get('4.0')?.state === 'active')
    expect(await queue.states(['1.0', '2.0', '3.0', '5.0', '6.0'])).toEqual(
      new Map([
        ['1.0', { state: 'failed', host: 'host-b', reason: 'the disk is full' }],
        ['2.0', { state: 'done', host: 'host-a', done: doneOf('2.0') }],
        ['3.0', { state: 'active', host: 'host-a' }],
        ['5.0', { state: 'waiting' }],
        ['6.0', { state: 'unknown' }],
      ]),
    )
    expect(failures).toEqual(['1.0 on host-b: the disk is full'])
  })

  it('keeps a job that is given out twice as it is', async () => {
    const { queue, results } = await openQueue(client, name)
    await queue.add(jobOf('1.0'))
    await queue.add(jobOf('1.0'))
    await queue.add(jobOf('2.0'))
    const { begun } = await openWorker(client, name, { isQuick: true })
    await waitUntil(() => results.length === 2)
    expect(begun).toEqual(['1.0', '2.0'])
  })

  it('removes a job that waits or is done, not one that runs', async () => {
    const { queue, results } = await openQueue(client, name)
    await queue.add(jobOf('1.0'))
    await queue.add(jobOf('2.0'))
    const { end } = await openWorker(client, name)
    await waitUntil(async () => (await queue.states(['1.0'])).get('1.0')?.state === 'active')
    expect(await queue.remove('1.0')).toBe(false)
    expect(await queue.remove('2.0')).toBe(true)
    end('1.0')
    await waitUntil(() => results.length === 1)
    expect(await queue.remove('1.0')).toBe(true)
    expect([...(await queue.states(['1.0', '2.0'])).values()]).toEqual([{ state: 'unknown' }, { state: 'unknown' }])
  })

  it('has nothing of an earlier run, whose hosts do not disturb it', async () => {
    const earlier = await JobQueue.open(client, name, { onTrouble: () => undefined })
    for (const id of ['1.0', '2.0']) await earlier.add(jobOf(id))
    const old = await openWorker(client, name, { host: 'host-old' })
    await waitUntil(() => old.begun.length === 1)
    const { queue, results, failures } = await openQueue(client, name)
    old.worker.pause()
    await queue.add(jobOf('1.0'))
    old.end('1.0')
    await waitUntil(() => old.worker.late === 1)
    expect([...(await queue.states(['1.0', '2.0'])).values()]).toEqual([{ state: 'waiting' }, { state: 'unknown' }])
    const { end } = await openWorker(client, name)
    await waitUntil(async () => (await queue.states(['1.0'])).get('1.0')?.state === 'active')
    end('1.0')
    await waitUntil(() => results.length > 0)
    expect(results).toEqual([doneOf('1.0')])
    expect(failures).toEqual([])
    await earlier.close()
  })

  it('leaves nothing in Redis', async () => {
    const { queue, results } = await openQueue(client, name)
    const { worker, begun, end } = await openWorker(client, name)
    for (const id of ['1.0', '2.0', '3.0']) await queue.add(jobOf(id))
    await waitUntil(() => begun.length === 1)
    end('1.0')
    await waitUntil(() => results.length === 1 && begun.length === 2)
    await queue.close()
    expect(await client.keys(`*${name}*`)).toEqual([])
    await worker.close(0)
  })

  it('takes a result that is not readable for a failure', async () => {
    const { queue, failures } = await openQueue(client, name)
    const run = ({ id }: { id: string }) =>
      Promise.resolve({
        ...doneOf(id === '1.0' ? '9.0' : id),
        outcome: id === '1.0' ? doneOf(id).outcome : ('' as never),
      })
    await openWorker(client, name, { run })
    await queue.add(jobOf('1.0'))
    await queue.add(jobOf('2.0'))
    await waitUntil(() => failures.length === 2)
    expect(failures[0]).toBe('1.0 on undefined: what Redis has as its result is not readable')
    expect((await queue.states(['2.0'])).get('2.0')).toMatchObject({ state: 'failed' })
  })

  it('goes on after an event that is not readable', async () => {
    const { queue, results, troubles } = await openQueue(client, name)
    const other = new Queue(name, queueOptions(client))
    const fields = ['event', 'completed', 'jobId', 'x', 'returnvalue', '{']
    await client.xadd(other.toKey('events'), '*', ...fields)
    await waitUntil(() => troubles.length > 0)
    expect(troubles[0]).toMatch(/events of the queue are followed again/)
    await openWorker(client, name, { isQuick: true })
    // What was missed meanwhile is known by the states of jobs.
    await queue.add(jobOf('1.0'))
    await waitUntil(async () => (await queue.states(['1.0'])).get('1.0')?.state === 'done')
    let id = 1
    while (results.length === 0) {
      await queue.add(jobOf(`${++id}.0`))
      await waitUntil(async () => (await queue.states([`${id}.0`])).get(`${id}.0`)?.state === 'done')
    }
    await other.close()
  })

  it('gives a job out again that no list of Redis has', async () => {
    const { queue, results } = await openQueue(client, name)
    await queue.add(jobOf('1.0'))
    const other = new Queue(name, queueOptions(client))
    await client.del(other.toKey('wait'))
    await waitUntil(async () => (await queue.states(['1.0'])).get('1.0')?.state === 'unknown')
    await queue.add(jobOf('1.0'))
    await openWorker(client, name, { isQuick: true })
    await waitUntil(() => results.length === 1)
    await other.close()
  })
})

describe.skipIf(!hasRedis)('the queue of a build whose user may not do everything in Redis', () => {
  it('needs the keys of Shardloom and harmless commands only', async () => {
    const server = await startRedis()
    const admin = await connectRedis(server.url, 'a test')
    const allowed = ['~shardloom:*', '-@all', '+@read', '+@write', '+@connection', '+@scripting', '+@blocking']
    await admin.acl('SETUSER', 'builder', 'on', '>secret', ...allowed, '+info', '+time')
    const client = await connectRedis({ port: server.port, username: 'builder', password: 'secret' }, 'a test')
    const board = new BuildBoard(client)
    expect(await board.builds()).toEqual([])
    const { queue, results, troubles } = await openQueue(client, 'shardloom-a')
    const { worker, ...host } = await openWorker(client, 'shardloom-a', { isQuick: true })
    await queue.add(jobOf('1.0'))
    await waitUntil(() => results.length === 1)
    expect((await queue.states(['1.0'])).get('1.0')?.state).toBe('done')
    expect(await queue.remove('1.0')).toBe(true)
    await worker.close(0)
    await queue.close()
    expect([...troubles, ...host.troubles]).toEqual([])
    await closeRedis(client)
    await closeRedis(admin)
    await server.stop()
  })
})

describe.skipIf(!hasRedis)('the queue of a build whose Redis ends', () => {
  it('knows what is lost when Redis has forgotten everything, and goes on', async () => {
    const server = await startRedis()
    const client = await connectRedis(server.url, 'a test')
    const { queue, results } = await openQueue(client, 'shardloom-a')
    const { worker, begun, end } = await openWorker(client, 'shardloom-a')
    for (const id of ['1.0', '2.0']) await queue.add(jobOf(id))
    await waitUntil(() => begun.length === 1)
    await server.kill()
    await server.restart()
    expect([...(await queue.states(['1.0', '2.0'])).values()]).toEqual([{ state: 'unknown' }, { state: 'unknown' }])
    await queue.add(jobOf('2.0'))
    end('1.0')
    // The result of a job that Redis has forgotten is not lost.
    await waitUntil(() => worker.late === 1)
    await queue.states([])
    expect(results).toEqual([doneOf('1.0')])
    await waitUntil(() => begun.length === 2)
    end('2.0')
    await waitUntil(() => results.length === 2)
    await worker.close(0)
    await queue.close()
    await closeRedis(client)
    await server.stop()
  })

  it('goes on where it was when Redis has kept everything', async () => {
    const server = await startRedis({ persistent: true })
    const client = await connectRedis(server.url, 'a test')
    const { queue, results, troubles } = await openQueue(client, 'shardloom-a')
    const { worker, begun, end, ...host } = await openWorker(client, 'shardloom-a')
    for (const id of ['1.0', '2.0']) await queue.add(jobOf(id))
    await waitUntil(() => begun.length === 1)
    await server.kill()
    let attempts = 0
    client.on('reconnecting', () => attempts++)
    await waitUntil(() => attempts > 2)
    end('1.0')
    await server.restart()
    await waitUntil(() => begun.length === 2)
    end('2.0')
    await waitUntil(() => results.length === 2)
    expect(results).toEqual([doneOf('1.0'), doneOf('2.0')])
    // RedisHealth tells of a lost connection, once.
    expect([...troubles, ...host.troubles]).toEqual([])
    await worker.close(0)
    await queue.close()
    await closeRedis(client)
    await server.stop()
  })

  it('is closed while Redis is away, and says what stays', async () => {
    const server = await startRedis()
    const client = await connectRedis(server.url, 'a test')
    const { queue, troubles } = await openQueue(client, 'shardloom-a')
    const { worker } = await openWorker(client, 'shardloom-a')
    await server.kill()
    await waitUntil(() => client.status === 'reconnecting')
    await worker.close(0)
    await queue.close()
    expect(troubles).toEqual(['jobs of queue shardloom-a stay in Redis until the build runs again: Redis is away'])
    await closeRedis(client)
    await server.stop()
  })

  it('is refused with a typed error when it cannot be emptied', async () => {
    const server = await startRedis()
    const client = await connectRedis(server.url, 'a test')
    await client.config('SET', 'maxmemory', '1')
    const opening = JobQueue.open(client, 'shardloom-a', { onTrouble: () => undefined })
    await expect(opening).rejects.toBeInstanceOf(ClusterError)
    await expect(opening).rejects.toThrow('OOM')
    await closeRedis(client)
    await server.stop()
  })
})
