import type { TaskDone } from '../messages.js'
import { checkDone } from './check-messages.js'
import type { RedisClient } from './load-redis.js'
import { parsedJson } from './parsed-json.js'

/** What nobody reads is deleted then. */
const KEPT_MS = 3600_000

/**
 * Results that BullMQ refuses: the host was away for longer than the lock time, so its job is another host's by now, or
 * Redis has forgotten the job. The result is whole all the same, and may come before that of the other host. Field: the
 * id of the job in Redis; value: the result.
 */
export class LateResults {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, queue: string) {
    this.#client = client
    this.#key = `shardloom:late:${queue}`
  }

  async put(jobId: string, done: TaskDone): Promise<void> {
    await this.#client.hset(this.#key, jobId, JSON.stringify(done))
    await this.#client.pexpire(this.#key, KEPT_MS)
  }

  /** Takes all that have come; undefined in place of a result that is not readable. */
  async take(): Promise<(readonly [jobId: string, done: TaskDone | undefined])[]> {
    const entries = Object.entries(await this.#client.hgetall(this.#key))
    if (entries.length > 0) await this.#client.hdel(this.#key, ...entries.map(([jobId]) => jobId))
    return entries.map(([jobId, json]) => [jobId, checkDone(parsedJson(json))])
  }

  async clear(): Promise<void> {
    await this.#client.del(this.#key)
  }
}
