import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import { loadRedis } from '../../../src/cluster/redis/load-redis.js'
import { ClusterError, MissingPackageError } from '../../../src/errors.js'
import { startProxy } from '../redis-proxy.js'
import { freePort, hasRedis, startRedis, type RedisServer } from '../redis-server.js'
import { waitUntil } from '../wait-until.js'

/** The error, as a log would print it. */
async function refusalOf(connecting: Promise<unknown>): Promise<ClusterError> {
  const error: unknown = await connecting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ClusterError)
  return error as ClusterError
}

it('a missing package is named with the command that installs it', async () => {
  const missing = loadRedis(() => Promise.reject(new Error('Cannot find package')))
  await expect(missing).rejects.toBeInstanceOf(MissingPackageError)
  await expect(missing).rejects.toThrow('bullmq and ioredis: npm install bullmq ioredis')
})

it('where nothing listens, the error has the address and what was tried', async () => {
  const port = await freePort()
  const error = await refusalOf(connectRedis(`redis://:secret@127.0.0.1:${port}`, 'a build on many hosts'))
  expect(error.message).toContain(
    `a build on many hosts needs Redis at redis://127.0.0.1:${port}: no answer within 5 s`,
  )
  expect(error.message).toContain('ECONNREFUSED')
  expect(error.exitCode).toBe(2)
})

describe.skipIf(!hasRedis)('a connection to a server with a password', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis({ password: 'pa:ss/w@rd' })
  })

  afterAll(() => server.stop())

  it('is made', async () => {
    const client = await connectRedis(server.url, 'a test')
    expect(await client.ping()).toBe('PONG')
    await closeRedis(client)
    expect(client.status).toBe('end')
  })

  it('is refused at once with another password, which nothing shows', async () => {
    const error = await refusalOf(connectRedis(`redis://:Wr0ng@127.0.0.1:${server.port}`, 'a test'))
    expect(error.message).toContain('WRONGPASS')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('Wr0ng')
  })

  it('is refused at once without one', async () => {
    const error = await refusalOf(connectRedis(`redis://127.0.0.1:${server.port}`, 'a test'))
    expect(error.message).toContain('NOAUTH')
  })
})

describe.skipIf(!hasRedis)('a connection that is lost', () => {
  it('is ended at once, and what waits for it rejects', async () => {
    const server = await startRedis()
    const client = await connectRedis(server.url, 'a test')
    await server.stop()
    await waitUntil(() => client.status === 'reconnecting')
    const answer = client.ping().catch((error: unknown) => String(error))
    await closeRedis(client)
    expect(client.status).toBe('end')
    expect(await answer).toContain('Connection is closed')
  })
})

describe.skipIf(!hasRedis)('a connection to a server that is not ready', () => {
  it('waits for one that starts', async () => {
    const port = await freePort()
    const connecting = connectRedis(`redis://127.0.0.1:${port}`, 'a test')
    const server = await startRedis({ port })
    const client = await connecting
    expect(await client.ping()).toBe('PONG')
    await closeRedis(client)
    await server.stop()
  })

  it('is refused by an older one than 6.2', async () => {
    const server = await startRedis()
    const older = (bytes: Buffer): Buffer =>
      Buffer.from(bytes.toString('latin1').replace(/redis_version:\d+\.\d/g, 'redis_version:6.0'), 'latin1')
    const proxy = await startProxy(server.port, older)
    const error = await refusalOf(connectRedis(proxy.url, 'a test'))
    expect(error.message).toMatch(/version 6\.0\S*; install 6\.2 or later/)
    await proxy.close()
    await server.stop()
  })

  it('is given up when it says nothing for 5 s', async () => {
    const server = await startRedis()
    server.freeze()
    const error = await refusalOf(connectRedis(server.url, 'a test'))
    expect(error.message).toContain('no answer within 5 s')
    await server.stop()
  })
})
