import type { BuildNotice, HostNotice } from '../messages.js'
import { checkBuild, checkHost } from './check-messages.js'
import type { RedisClient } from './load-redis.js'
import { parsedJson } from './parsed-json.js'

/** Field: the queue of a build; value: its notice. */
const BUILDS = 'shardloom:builds'
/** Field: a host; value: what it says of its work for this build. */
const hostsOf = (queue: string): string => `shardloom:hosts:${queue}`

/** A build that does not renew its notice for so long is not there any more. */
const BUILD_MS = 60_000
/** The clocks of the server and of this host are compared again when they are this much further apart. */
const CLOCK_STEP_MS = 1000
/** What nobody withdrew is deleted then. */
const FORGET_MS = 24 * 3600_000

/**
 * Notes one notice with the time of the server, so that clocks of hosts that differ do no harm.
 * KEYS: the hash. ARGV: the field, the notice, how long the hash is kept (ms; 0: for ever).
 */
const NOTE = `
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], now[1] .. string.format('%03d', math.floor(now[2] / 1000)) .. ' ' .. ARGV[2])
if ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
`

/** What builds and hosts say of themselves, where each sees it. */
export class BuildBoard {
  readonly #client: RedisClient
  readonly #bad = new Set<string>()
  /** What the clock of this host is ahead of that of the server; as long as it stays, so does the time of a notice. */
  #aheadMs: number | undefined

  /** The connection stays its caller's. */
  constructor(client: RedisClient) {
    this.#client = client
  }

  /** Entries that could not be read, each counted once. */
  get badEntries(): number {
    return this.#bad.size
  }

  /** Says, again and again, that a build wants hosts. */
  async announce(notice: BuildNotice): Promise<void> {
    await this.#note(BUILDS, notice.queue, notice, 0)
  }

  /** Takes a build away, and what its hosts said. */
  async withdraw(queue: string): Promise<void> {
    await this.#client.hdel(BUILDS, queue)
    await this.#client.del(hostsOf(queue))
  }

  /** Builds that renewed their notice in the last minute; `at` is by the clock of this host. */
  async builds(): Promise<BuildNotice[]> {
    const entries = await this.#read(BUILDS, checkBuild, ({ queue }) => queue)
    const old = entries.filter(({ ageMs }) => ageMs > FORGET_MS).map(({ field }) => field)
    if (old.length > 0) await this.#client.hdel(BUILDS, ...old)
    return entries.filter(({ ageMs }) => ageMs <= BUILD_MS).map(({ notice }) => notice)
  }

  /** Says, again and again, that a host is there for a build. */
  async report(queue: string, notice: HostNotice): Promise<void> {
    await this.#note(hostsOf(queue), notice.host, notice, FORGET_MS)
  }

  /** Takes a host away. */
  async leave(queue: string, host: string): Promise<void> {
    await this.#client.hdel(hostsOf(queue), host)
  }

  /** All hosts that were there for the build, also those that say nothing any more; `at` is by the clock of this host. */
  async hosts(queue: string): Promise<HostNotice[]> {
    const entries = await this.#read(hostsOf(queue), checkHost, ({ host }) => host)
    return entries.map(({ notice }) => notice)
  }

  async #note(key: string, field: string, notice: object, keepMs: number): Promise<void> {
    await this.#client.eval(NOTE, 1, key, field, JSON.stringify(notice), keepMs)
  }

  async #read<Notice extends { readonly at: number }>(
    key: string,
    check: (data: unknown) => Notice | undefined,
    nameOf: (notice: Notice) => string,
  ): Promise<Entry<Notice>[]> {
    const [[seconds, microseconds], values] = await Promise.all([this.#client.time(), this.#client.hgetall(key)])
    const serverNow = Number(seconds) * 1000 + Number(microseconds) / 1000
    const aheadMs = this.#compareClocks(Date.now() - serverNow)
    const entries: Entry<Notice>[] = []
    for (const [field, value] of Object.entries(values)) {
      const [, noted, json] = /^(\d{1,16}) ([^]*)$/.exec(value) ?? []
      const notice = json === undefined ? undefined : check(parsedJson(json))
      if (notice === undefined || nameOf(notice) !== field) this.#bad.add(`${key} ${field}`)
      else {
        const ageMs = serverNow - Number(noted)
        entries.push({ field, ageMs, notice: { ...notice, at: Number(noted) + aheadMs } })
      }
    }
    return entries
  }

  #compareClocks(aheadMs: number): number {
    const before = this.#aheadMs ?? -Infinity
    return (this.#aheadMs = Math.abs(aheadMs - before) < CLOCK_STEP_MS ? before : Math.round(aheadMs))
  }
}

interface Entry<Notice> {
  readonly field: string
  readonly ageMs: number
  readonly notice: Notice
}
