import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BuildBoard } from '../../../src/cluster/redis/build-board.js'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import type { RedisClient } from '../../../src/cluster/redis/load-redis.js'
import type { BuildNotice, HostNotice } from '../../../src/cluster/messages.js'
import { hasRedis, startRedis, type RedisServer } from '../redis-server.js'
import { waitUntil } from '../wait-until.js'

const HOUR = 3600_000

function build(queue: string, at = Date.now()): BuildNotice {
  const marker = { file: 'articles.index/build/marker', text: 'seen' }
  const sizes = { hostBytes: 1e8, taskBytes: 1e7 }
  return { queue, version: '1.0.0', marker, results: 'results', stage: 'route', ...sizes, lockSeconds: 30, at }
}

function host(name: string, at = Date.now()): HostNotice {
  const figures = { threads: 4, slots: 4, running: 1, done: 7, busySeconds: 1.5, rssBytes: 1e8, memoryBytes: 1e9 }
  return { host: name, version: '1.0.0', state: 'working', reason: '', ...figures, at }
}

describe.skipIf(!hasRedis)('the board of builds and hosts', () => {
  let server: RedisServer
  let client: RedisClient

  beforeAll(async () => {
    server = await startRedis()
    client = await connectRedis(server.url, 'a test')
  })

  afterEach(() => client.flushall())

  afterAll(async () => {
    await closeRedis(client)
    await server.stop()
  })

  it('shows builds until they are withdrawn', async () => {
    const board = new BuildBoard(client)
    await board.announce(build('a'))
    await board.announce(build('b'))
    const builds = await board.builds()
    expect(builds.map(({ queue }) => queue).sort()).toEqual(['a', 'b'])
    expect({ ...builds[0], at: 0 }).toEqual(build(builds[0].queue, 0))
    await board.withdraw('a')
    await board.withdraw('b')
    expect(await board.builds()).toEqual([])
    expect(await client.keys('*')).toEqual([])
  })

  it('shows hosts of a build until they leave', async () => {
    const board = new BuildBoard(client)
    await board.report('a', host('one'))
    await board.report('a', host('two'))
    await board.report('b', host('three'))
    expect((await board.hosts('a')).map((notice) => notice.host).sort()).toEqual(['one', 'two'])
    await board.leave('a', 'one')
    expect((await board.hosts('a')).map((notice) => ({ ...notice, at: 0 }))).toEqual([host('two', 0)])
    await board.withdraw('a')
    expect(await board.hosts('a')).toEqual([])
    await board.withdraw('b')
  })

  it('has times by the clock of the reader, however wrong that of the writer is', async () => {
    const board = new BuildBoard(client)
    const before = Date.now()
    await board.announce(build('a', before - 5 * HOUR))
    await board.report('a', host('one', before + 5 * HOUR))
    const [{ at: builtAt }] = await board.builds()
    const [{ at: seenAt }] = await board.hosts('a')
    for (const at of [builtAt, seenAt]) {
      expect(at).toBeGreaterThan(before - HOUR)
      expect(at).toBeLessThan(before + HOUR)
    }
    await board.withdraw('a')
  })

  it('has the same time for a notice that was not renewed', async () => {
    const board = new BuildBoard(client)
    await board.report('a', host('one'))
    const times = new Set<number>()
    for (let i = 0; i < 20; i++) for (const { at } of await board.hosts('a')) times.add(at)
    expect(times.size).toBe(1)
    await waitUntil(async () => {
      await board.report('a', host('one'))
      for (const { at } of await board.hosts('a')) times.add(at)
      return times.size > 1
    })
  })

  it('does not show builds that were not renewed for a minute, and forgets them after a day', async () => {
    const board = new BuildBoard(client)
    await board.announce(build('a'))
    const value = (await client.hget('shardloom:builds', 'a')) ?? ''
    const aged = (milliseconds: number): string =>
      value.replace(/^\d+/, (at) => String(Number(at) - milliseconds)).replace('"queue":"a"', '"queue":"b"')
    await client.hset('shardloom:builds', 'b', aged(61_000))
    expect((await board.builds()).map(({ queue }) => queue)).toEqual(['a'])
    expect((await client.hkeys('shardloom:builds')).sort()).toEqual(['a', 'b'])
    await client.hset('shardloom:builds', 'b', aged(25 * HOUR))
    expect((await board.builds()).map(({ queue }) => queue)).toEqual(['a'])
    expect(await client.hkeys('shardloom:builds')).toEqual(['a'])
    await board.withdraw('a')
  })

  it('ignores entries that are not readable, and counts each once', async () => {
    const board = new BuildBoard(client)
    const now = String(Date.now())
    const values = ['', 'x', `${now} `, `${now} null`, `${now} {}`, `${now} {"queue":"q4"}`]
    for (const [i, value] of values.entries()) await client.hset('shardloom:builds', `q${i}`, value)
    await client.hset('shardloom:builds', 'q9', `${now} ${JSON.stringify(build('q8'))}`)
    await client.hset('shardloom:builds', '__proto__', `${now} ${JSON.stringify({ ...build('x'), lockSeconds: '9' })}`)
    await board.announce(build('good'))
    expect((await board.builds()).map(({ queue }) => queue)).toEqual(['good'])
    await board.builds()
    expect(board.badEntries).toBe(values.length + 2)
  })
})
