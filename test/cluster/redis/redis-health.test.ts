import { describe, expect, it } from 'vitest'
import { closeRedis, connectRedis } from '../../../src/cluster/redis/connect-redis.js'
import { RedisHealth } from '../../../src/cluster/redis/redis-health.js'
import { hasRedis, startRedis } from '../redis-server.js'
import { waitUntil } from '../wait-until.js'

describe.skipIf(!hasRedis)('the health of a connection', () => {
  it('is told once when it is lost, and once when it is back', async () => {
    const server = await startRedis()
    const client = await connectRedis(server.url, 'a test')
    const told: string[] = []
    const health = new RedisHealth(client, {
      onLost: (reason) => told.push(`lost: ${reason}`),
      onBack: (seconds) => told.push(seconds > 0 ? 'back' : 'back too early'),
    })
    let attempts = 0
    client.on('reconnecting', () => attempts++)
    await server.kill()
    await waitUntil(() => attempts > 3)
    expect(health.isLost).toBe(true)
    expect(told).toHaveLength(1)
    const answer = client.ping()
    await server.restart()
    expect(await answer).toBe('PONG')
    expect(health.isLost).toBe(false)
    await waitUntil(() => told.length > 1)
    expect(told).toEqual([expect.stringMatching(/^lost: ./), 'back'])
    health.close()
    await closeRedis(client)
    expect(told).toHaveLength(2)
    await server.stop()
  })

  it('is told once when it comes back again and again, and breaks at once', async () => {
    const server = await startRedis()
    const client = await connectRedis(server.url, 'a test')
    const told: string[] = []
    const health = new RedisHealth(client, { onLost: () => told.push('lost'), onBack: () => told.push('back') })
    for (let times = 0; times < 5; times++) {
      const ready = new Promise<void>((resolve) => client.once('ready', resolve))
      client.disconnect(true)
      await ready
    }
    await waitUntil(() => told.length > 1)
    expect(told).toEqual(['lost', 'back'])
    health.close()
    await closeRedis(client)
    await server.stop()
  })
})
