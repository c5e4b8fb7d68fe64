import type { ClusterOptions } from '../../api/build.js'
import { ClusterError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import { loadRedis, type RedisClient } from './load-redis.js'
import { redisOptions } from './redis-options.js'
import { settlesWithin } from './settles-within.js'
import { shownUrl } from './shown-url.js'

const ANSWER_MS = 5000
const CLOSE_MS = 2000
const OLDEST_VERSION = [6, 2] as const

/**
 * A connection to a Redis that answers; `purpose` says what needs it, such as 'a build on many hosts'. Its caller
 * watches it (`RedisHealth`) and ends it (`closeRedis`).
 * @throws MissingPackageError; ClusterError with the address, without the password
 */
export async function connectRedis(
  connection: ClusterOptions['connection'],
  purpose: string,
  load = loadRedis,
): Promise<RedisClient> {
  const options = redisOptions(connection)
  const { Redis } = await load()
  const client = new Redis(options)
  try {
    const { version } = await firstAnswer(client)
    if (version !== undefined && isOlder(version)) {
      throw new Error(`it is version ${version}; install ${OLDEST_VERSION.join('.')} or later`)
    }
    return client
  } catch (error) {
    await closeRedis(client)
    // No cause: an error of ioredis has the command that failed, and the password is in that of AUTH.
    throw new ClusterError(`${purpose} needs Redis at ${shownUrl(connection)}: ${messageOf(error)}`, { kind: 'input' })
  }
}

/** A client of ioredis, or what BullMQ makes of one. */
export interface Connection {
  readonly status: string
  once(event: 'end', listener: () => void): unknown
  connect(): Promise<unknown>
  disconnect(): void
}

/** Ends a connection now. Commands that wait for an answer reject. */
export async function closeRedis(client: Connection): Promise<void> {
  if (client.status === 'end') return
  const ended = new Promise<void>((resolve) => client.once('end', resolve))
  // Between two attempts to connect ioredis would stop, and neither tell the end nor reject what waits.
  if (client.status === 'reconnecting') client.connect().catch(() => undefined)
  client.disconnect()
  await settlesWithin(CLOSE_MS, ended)
}

/** Waits for a server that is starting; one that refuses the user or the password ends what waits for it. */
async function firstAnswer(client: RedisClient): Promise<{ readonly version: string | undefined }> {
  let lastFailure = ''
  // It stays: without a listener ioredis would print. A connection that is lost later is told by RedisHealth.
  client.on('error', (error: Error) => (lastFailure = error.message))
  const answered = client.info('server').catch((error: unknown) => {
    throw new Error(`${messageOf(error)}; give another user, password or address`)
  })
  const answer = await settlesWithin(ANSWER_MS, answered)
  if (answer === undefined) {
    const reason = lastFailure === '' ? '' : ` (${lastFailure})`
    throw new Error(`no answer within ${ANSWER_MS / 1000} s${reason}; start it, or give another address`)
  }
  return { version: /^redis_version:(\d+(?:\.\d+)*)/m.exec(answer)?.[1] }
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])
}
