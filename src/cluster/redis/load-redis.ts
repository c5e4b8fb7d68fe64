import type * as Bullmq from 'bullmq'
import type { Redis } from 'ioredis'
import { MissingPackageError } from '../../errors.js'
import { loadPeer } from '../../load-peer.js'

/** The optional peers, loaded. */
export interface RedisPackages {
  readonly bullmq: typeof Bullmq
  readonly Redis: typeof Redis
}

/** A connection to Redis. */
export type RedisClient = Redis

/** Loads them when a build or a worker asks for other hosts, never before. @throws MissingPackageError */
export async function loadRedis(load: (name: string) => Promise<unknown> = loadPeer): Promise<RedisPackages> {
  try {
    const [bullmq, ioredis] = await Promise.all([load('bullmq'), load('ioredis')])
    return { bullmq: bullmq as typeof Bullmq, Redis: (ioredis as { readonly Redis: typeof Redis }).Redis }
  } catch (cause) {
    throw new MissingPackageError('work on many hosts', ['bullmq', 'ioredis'], cause)
  }
}
