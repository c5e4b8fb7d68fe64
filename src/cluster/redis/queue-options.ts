import type { RedisClient } from './load-redis.js'

/** All keys of Shardloom begin with this word, those of BullMQ too. */
const PREFIX = 'shardloom'

/** A job that stalls goes back to the queue any number of times: the coordinator decides when a task has failed. */
const STALLS = 1e9

/** Seconds: how long a worker waits for a job at most until it asks again, should the word of a new job be lost. */
const ASK_AGAIN = 2

/** What queues, events and workers have in common. */
export function queueOptions(client: RedisClient) {
  return { connection: client, prefix: PREFIX, skipVersionCheck: true }
}

/** What BullMQ notes of a queue beside its jobs. */
export function notesOf(queue: string): string {
  return `${PREFIX}:${queue}:meta`
}

/** How a worker waits: for jobs, and for hosts that are silent. */
export function workerOptions(lockSeconds: number) {
  const lockDuration = lockSeconds * 1000
  return { lockDuration, stalledInterval: lockDuration / 4, maxStalledCount: STALLS, drainDelay: ASK_AGAIN }
}
