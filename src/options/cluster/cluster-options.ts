/** The hosts of a build: the option of a program, and the flags of `shardloom build`. */
import * as v from 'valibot'
import { isPlainObject } from '../../fields/schema.js'
import { MAX_STALL_SECONDS } from '../limits.js'
import { name, numberFrom, option } from '../option-values.js'

/** Longer than a host is silent while it lives, and BullMQ's own. */
const DEFAULT_LOCK_SECONDS = 30

const REDIS_URL = 'the URL of Redis, such as redis://host:6379'

/** Text that ioredis would take for something else, such as a host without the scheme, is refused here. */
export function redisUrl() {
  return v.pipe(
    name(REDIS_URL),
    v.check((text) => /^rediss?:\/\//.test(text) && URL.canParse(text), REDIS_URL),
  )
}

/** As a program gives it: also the options of ioredis, for what a URL cannot say. */
export const CONNECTION = option(
  v.union([redisUrl(), v.custom<Readonly<Record<string, unknown>>>(isPlainObject)], REDIS_URL),
  'Redis 6.2 or later: its URL, or the options of ioredis',
  { type: 'string | Readonly<Record<string, unknown>>' },
)

export const SHARED_DIR = option(name('the path of a folder'), 'the folder that all hosts see', {
  value: 'DIR',
  isPath: true,
})

const lockSeconds = numberFrom(1, MAX_STALL_SECONDS)

export const CLUSTER_OPTION = option(
  v.strictObject(
    {
      connection: CONNECTION,
      sharedDir: SHARED_DIR,
      lockSeconds: v.optional(lockSeconds, DEFAULT_LOCK_SECONDS),
    },
    "an object such as { connection: 'redis://host:6379', sharedDir: '/mnt/shared' }",
  ),
  'other hosts that run the tasks',
  {
    noFlag: true,
    fallback: 'none',
    type: 'ClusterOptions',
    doc:
      'other hosts that run the tasks of the build, `shardloom worker` on each: ' +
      "`{ connection: 'redis://host:6379', sharedDir: '/mnt/shared' }`",
  },
)

/** The same, one by one: as flags, and in a configuration file. */
export const CLUSTER_FLAGS = {
  cluster: v.optional(
    option(redisUrl(), 'other hosts run the tasks, by way of this Redis: redis://host:6379', {
      value: 'URL',
      fallback: 'none',
    }),
  ),
  sharedDir: v.optional(
    option(SHARED_DIR, 'with --cluster: the folder that all hosts see; the index lies in it', { fallback: 'none' }),
  ),
  lockSeconds: v.optional(
    option(lockSeconds, 'with --cluster: a task whose host is silent for N seconds goes to another', { value: 'N' }),
    DEFAULT_LOCK_SECONDS,
  ),
} as const
