import { createRequire } from 'node:module'
import type * as Bullmq from 'bullmq'
import type { Redis } from 'ioredis'
import { MissingPackageError } from '../../errors.js'
import { loadPeer } from '../../runtime/load-peer.js'
import { MODULE_URL } from '../../own-files.js'

/** The optional peers, loaded. */
export interface RedisPackages {
  readonly bullmq: typeof Bullmq
  readonly Redis: typeof Redis
}

/** A connection to Redis. */
export type RedisClient = Redis

/** Loads them when a build or a worker asks for other hosts, never before. @throws MissingPackageError */
export async function loadRedis(load: (name: string) => Promise<unknown> = requirePeer): Promise<RedisPackages> {
  try {
    const [bullmq, ioredis] = await Promise.all([load('bullmq'), load('ioredis')])
    return { bullmq: bullmq as typeof Bullmq, Redis: (ioredis as { readonly Redis: typeof Redis }).Redis }
  } catch (cause) {
    throw new MissingPackageError('work on many hosts', ['bullmq', 'ioredis'], cause)
  }
}

/**
 * Both are CommonJS. `import` would also read their files for the names that they export: 0.2 s of CPU in place of 0.1,
 * in each process of a build.
 */
async function requirePeer(name: string): Promise<unknown> {
  return MODULE_URL === undefined ? loadPeer(name) : (createRequire(MODULE_URL)(name) as unknown)
}
