import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redisOptions } from '../../../src/cluster/redis/redis-options.js'
import { shownUrl } from '../../../src/cluster/redis/shown-url.js'
import { messageOf } from '../../../src/runtime/realms.js'

describe('the address of Redis in messages', () => {
  it.each([
    ['redis://cache:6379', 'redis://cache:6379'],
    ['rediss://user:secret@cache:6380/2', 'rediss://cache:6380/2'],
    ['redis://:secret@[::1]/', 'redis://[::1]'],
    ['not a url with a secret', 'the given address'],
    // The password was not percent-encoded: part of it is read as host, path or fragment.
    ['redis://:se/cret@cache', 'the given address'],
    ['redis://se#cret@cache', 'the given address'],
    ['redis://user:a@se/cret@cache', 'the given address'],
  ])('%s is shown as %s', (connection, shown) => {
    expect(shownUrl(connection)).toBe(shown)
  })

  it('is made of host and port of options', () => {
    expect(shownUrl({ host: 'cache', port: 6380, username: 'user', password: 'secret' })).toBe('redis://cache:6380')
    expect(shownUrl({ tls: {}, password: 'secret' })).toBe('rediss://localhost:6379')
    expect(shownUrl({ path: '/run/redis.sock', password: 'secret' })).toBe('/run/redis.sock')
  })

  it('has nothing of any password, encoded or not', () => {
    const passwords = fc.array(fc.constantFrom('Zx', 'Qy', '@', ':', '/', '#', '?', '%', '&', '='), { maxLength: 12 })
    fc.assert(
      fc.property(passwords, fc.boolean(), (parts, isEncoded) => {
        const password = isEncoded ? encodeURIComponent(parts.join('')) : parts.join('')
        const address = `redis://user:${password}@cache:6379`
        let message = shownUrl(address)
        try {
          redisOptions(address)
        } catch (error) {
          message += messageOf(error)
        }
        expect(message.toLowerCase()).not.toMatch(/zx|qy/)
      }),
    )
  })
})
