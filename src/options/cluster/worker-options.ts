/** The options of `runWorker` and of `shardloom worker`. */
import * as v from 'valibot'
import { MAX_STALL_SECONDS } from '../limits.js'
import { choice, numberFrom, option } from '../option-values.js'
import { SHARED_OPTIONS } from '../shared-options.js'
import { CONNECTION, redisUrl, SHARED_DIR } from './cluster-options.js'

/** Below the 30 seconds that Kubernetes gives a pod to end. */
const DEFAULT_GRACE_SECONDS = 25

const common = {
  memory: v.optional(
    option(SHARED_OPTIONS.memory, 'memory of this host for tasks, as 512MB or 2GiB', {
      doc:
        'memory of this host for tasks, in bytes or as text such as 8GB: how many tasks it runs at once depends on it, ' +
        'and on `threads`',
    }),
  ),
  threads: v.optional(SHARED_OPTIONS.threads),
  graceSeconds: v.optional(
    option(numberFrom(0, MAX_STALL_SECONDS), 'when it is told to end: seconds for the tasks that run', {
      value: 'N',
      doc:
        'seconds that running tasks have when the worker is told to end; those that take longer go back to the build, ' +
        'and run on another host',
    }),
    DEFAULT_GRACE_SECONDS,
  ),
  untilIdleSeconds: v.optional(
    option(numberFrom(0, MAX_STALL_SECONDS), 'end when no build has wanted hosts for N seconds', {
      flag: 'until-idle',
      value: 'N',
      fallback: 'never',
      doc: 'end when no build has wanted hosts for this many seconds',
    }),
  ),
} as const

export const WORKER_OPTIONS = {
  connection: CONNECTION,
  sharedDir: SHARED_DIR,
  ...common,
  signal: v.optional(
    option(SHARED_OPTIONS.signal, 'an AbortSignal', {
      doc:
        'an `AbortSignal`; once it fires the worker takes no more tasks, ends or gives back those that run, and ' +
        'resolves',
    }),
  ),
  logger: v.optional(SHARED_OPTIONS.logger),
} as const

export const workerOptionsSchema = v.strictObject(WORKER_OPTIONS)

export const WORKER_COMMAND_OPTIONS = {
  cluster: v.optional(
    option(redisUrl(), 'the Redis of the builds: redis://host:6379', { value: 'URL', fallback: '$SHARDLOOM_CLUSTER' }),
  ),
  sharedDir: v.optional(option(SHARED_DIR, 'the folder that all hosts see', { fallback: '$SHARDLOOM_SHARED_DIR' })),
  ...common,
  quiet: v.optional(SHARED_OPTIONS.quiet, false),
  logFormat: v.optional(
    option(choice(['text', 'json']), 'what goes to stderr: text, or json, one object a line', { value: 'F' }),
    'text',
  ),
} as const
