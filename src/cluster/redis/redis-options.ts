import type { RedisOptions } from 'ioredis'
import type { ClusterOptions } from '../../api/build.js'
import { ClusterError } from '../../errors.js'
import { shownUrl } from './shown-url.js'

const RETRY_MS = [50, 2000] as const
const CONNECT_MS = 5000
/** Longer than the longest blocking read of BullMQ, 10 s: a peer that says nothing for so long is not there any more. */
const SILENT_MS = 20_000

/**
 * How the connections of a build and of its workers behave: a lost one is made again for as long as it takes, and its
 * commands wait meanwhile and are then sent again.
 */
const OWN_OPTIONS: RedisOptions = {
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  autoResendUnfulfilledCommands: true,
  lazyConnect: false,
  retryStrategy: (times) => Math.min(RETRY_MS[0] * 2 ** Math.min(times - 1, 10), RETRY_MS[1]),
  // A server that has become a replica: its address leads to the new primary when the connection is made again.
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  connectTimeout: CONNECT_MS,
  keepAlive: 10_000,
  socketTimeout: SILENT_MS,
}

/** Options of ioredis, from a URL or from options of ioredis. @throws ClusterError */
export function redisOptions(connection: ClusterOptions['connection']): RedisOptions {
  if (typeof connection !== 'string') return { ...withoutPrefix(connection), ...OWN_OPTIONS }
  return { ...fromUrl(connection), ...OWN_OPTIONS }
}

function withoutPrefix(connection: Readonly<Record<string, unknown>>): RedisOptions {
  if (connection['keyPrefix']) throw unusable('has a keyPrefix, which BullMQ cannot use; leave it out', connection)
  return connection
}

function fromUrl(address: string): RedisOptions {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw unusable(
      'is not a URL of Redis; expected redis://host:6379 or rediss://user:password@host:6379, with the special ' +
        'characters of a password percent-encoded',
      address,
    )
  }
  const { hostname, port, pathname, username, password } = url
  const db = pathname === '' || pathname === '/' ? 0 : Number(/^\/(\d+)$/.exec(pathname)?.[1])
  if (Number.isNaN(db)) throw unusable('must end with the number of a database, such as /0, or with nothing', address)
  // What follows '?' or '#' may be the rest of a password that was not percent-encoded.
  const unknown = [...url.searchParams.keys()].filter((name) => name !== 'family')
  if (unknown.length > 0 || url.hash !== '') {
    throw unusable("has a part after '?' or '#' that is not known; only family is", address)
  }
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    db,
    ...(username === '' ? {} : { username: decoded(username, address) }),
    ...(password === '' ? {} : { password: decoded(password, address) }),
    ...(url.searchParams.has('family') ? { family: Number(url.searchParams.get('family')) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

function decoded(text: string, address: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw unusable("has a '%' in its user or password that is not percent-encoded as %25", address)
  }
}

function unusable(reason: string, connection: ClusterOptions['connection']): ClusterError {
  return new ClusterError(`the connection to Redis, ${shownUrl(connection)}, ${reason}`, { kind: 'input' })
}
