import { describe, expect, it } from 'vitest'
import { redisOptions } from '../../../src/cluster/redis/redis-options.js'
import { ClusterError } from '../../../src/errors.js'

describe('options of a connection', () => {
  it('are read from a URL', () => {
    expect(redisOptions('rediss://me:p%40ss@[::1]:6380/3?family=6')).toMatchObject({
      host: '::1',
      port: 6380,
      db: 3,
      username: 'me',
      password: 'p@ss',
      family: 6,
      tls: {},
    })
    expect(redisOptions('redis://cache')).toMatchObject({ host: 'cache', port: 6379, db: 0 })
  })

  it('of ioredis are taken over, but for how a lost connection is made again', () => {
    const options = redisOptions({ host: 'cache', password: 'secret', maxRetriesPerRequest: 3 })
    expect(options).toMatchObject({ host: 'cache', password: 'secret', maxRetriesPerRequest: null })
    expect([1, 2, 7, 1000].map((times) => options.retryStrategy?.(times))).toEqual([50, 100, 2000, 2000])
  })

  it.each([
    ['cache:6379', 'expected redis://host:6379'],
    ['http://cache:6379', 'expected redis://host:6379'],
    ['redis://', 'expected redis://host:6379'],
    ['redis://cache/first', 'the number of a database'],
    ['redis://cache?maxRetriesPerRequest=3', 'only family'],
    ['redis://user:a%zz@cache', 'percent-encoded'],
  ])('refuse %s', (address, fix) => {
    expect(() => redisOptions(address)).toThrow(ClusterError)
    expect(() => redisOptions(address)).toThrow(fix)
  })

  it('refuse a key prefix', () => {
    expect(() => redisOptions({ keyPrefix: 'mine:' })).toThrow('keyPrefix')
  })
})
