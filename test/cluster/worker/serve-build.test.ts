import { afterAll, beforeAll, expect, it, describe } from 'vitest'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import { ServedBuild } from '../../../src/cluster/worker/serve-build.js'
import { WorkerPool } from '../../../src/tasks/worker-pool.js'
import { makeFolder } from '../../fixtures/tasks.js'
import { hasRedis, startRedis, type RedisServer } from '../redis-server.js'
import { openTestBuild } from './test-build.js'

describe.skipIf(!hasRedis)('a build that a worker begins with', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  it('is not opened any more when the worker ends meanwhile: nothing would close it', async () => {
    const sharedDir = makeFolder()
    const { notice } = await openTestBuild(server.url, sharedDir, 'shardloom-1')
    const client = await connectRedis(server.url, 'a test')
    const pool = new WorkerPool({ threads: 1 })
    const said: string[] = []
    const logger = { info: (message: string) => said.push(message), warn: (message: string) => said.push(message) }
    const facts = { host: 'ape', sharedDir, client, pool, logger, threads: 1, memoryBytes: 1e9 }
    const build = new ServedBuild(facts, notice, () => undefined)
    const begun = build.check()
    await build.close(0)
    await begun
    expect(said).toEqual([])
    await pool.close()
    await closeRedis(client)
  })
})
