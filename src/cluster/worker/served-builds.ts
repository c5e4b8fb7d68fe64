import type { Logger } from '../../api/build.js'
import { messageOf } from '../../runtime/realms.js'
import { WorkerPool } from '../../tasks/worker-pool.js'
import type { BuildNotice } from '../messages.js'
import type { BuildBoard } from '../redis/build-board.js'
import type { RedisClient } from '../redis/load-redis.js'
import { settlesWithin } from '../redis/settles-within.js'
import { ServedBuild } from './serve-build.js'
import { shareSlots, spareBytesOf, type HostSize } from './worker-slots.js'

export interface WorkerFacts extends HostSize {
  readonly host: string
  readonly sharedDir: string
  readonly client: RedisClient
  readonly logger: Logger
}

/**
 * A build that is not on the board keeps its running tasks for so long: a Redis that was restarted without its data knows
 * of it only when the build says so again.
 */
const GONE_MS = 10_000
const REPORT_MS = 1000
/** A host serves no more builds than that at once. */
const MOST_BUILDS = 64

interface Served {
  readonly build: ServedBuild
  /** When it was first not on the board. */
  missingSince: number | undefined
}

/** The builds that a worker serves. */
export class ServedBuilds {
  readonly #facts: WorkerFacts
  readonly #board: BuildBoard
  readonly #served = new Map<string, Served>()
  /** Builds that end. */
  readonly #closing = new Set<Promise<void>>()
  /** Threads are there while a build is. */
  #pool: WorkerPool | undefined
  #isClosed = false
  #lastTrouble = ''
  readonly #ended = { builds: 0, tasks: 0, busySeconds: 0 }
  #peakRssBytes = 0

  constructor(facts: WorkerFacts, board: BuildBoard) {
    this.#facts = facts
    this.#board = board
  }

  /** Builds that are there now, those that this host refuses too. */
  get count(): number {
    return this.#served.size
  }

  /** Of all builds so far. */
  get work(): { readonly builds: number; readonly tasks: number; readonly busySeconds: number } {
    const sum = { ...this.#ended }
    for (const { build } of this.#served.values()) addTo(sum, build)
    return sum
  }

  get peakRssBytes(): number {
    return this.#peakRssBytes
  }

  /** Looks for builds, begins with new ones, ends with those that are gone, and reports. Never rejects. */
  async update(): Promise<void> {
    try {
      const notices = (await this.#board.builds()).slice(0, MOST_BUILDS)
      if (this.#isClosed) return
      this.#take(notices)
      await Promise.all([...this.#served.values()].map(({ build }) => build.check()))
      this.#share()
      await this.#report()
      this.#lastTrouble = ''
    } catch (error) {
      const trouble = messageOf(error)
      if (!this.#isClosed && trouble !== this.#lastTrouble) this.#facts.logger.warn(`the builds in Redis: ${trouble}`)
      this.#lastTrouble = trouble
    }
  }

  /** Takes no more tasks; those that run have so many seconds, then they are given back. */
  async close(graceSeconds: number): Promise<void> {
    this.#isClosed = true
    const builds = [...this.#served.values()].map(({ build }) => build)
    const closing = Promise.all([...builds.map((build) => build.close(graceSeconds)), ...this.#closing]).then(
      () => true,
    )
    do {
      await settlesWithin(
        REPORT_MS,
        this.#report().catch(() => undefined),
      )
    } while ((await settlesWithin(REPORT_MS, closing)) === undefined)
    await settlesWithin(
      REPORT_MS,
      this.#report().catch(() => undefined),
    )
    await this.#pool?.close()
  }

  #take(notices: readonly BuildNotice[]): void {
    const now = performance.now()
    const byQueue = new Map(notices.map((notice) => [notice.queue, notice]))
    for (const [queue, served] of this.#served) {
      const notice = byQueue.get(queue)
      if (notice !== undefined && served.build.isOf(notice)) {
        served.missingSince = undefined
        served.build.renew(notice)
        continue
      }
      served.missingSince ??= now
      const isAwaited = notice === undefined && served.build.running > 0 && now - served.missingSince < GONE_MS
      if (!isAwaited) this.#drop(queue, served.build)
    }
    for (const notice of notices) {
      if (this.#served.has(notice.queue)) continue
      this.#pool ??= this.#openPool()
      const build = new ServedBuild({ ...this.#facts, pool: this.#pool }, notice, () => this.#share())
      this.#served.set(notice.queue, { build, missingSince: undefined })
    }
    if (this.#served.size === 0) this.#closePool()
  }

  #drop(queue: string, build: ServedBuild): void {
    this.#served.delete(queue)
    this.#await(
      build.drop().then(async () => {
        addTo(this.#ended, build)
        await this.#board.leave(queue, this.#facts.host)
      }),
    )
  }

  #openPool(): WorkerPool {
    const { threads, logger } = this.#facts
    return new WorkerPool({
      threads,
      // Memory may allow fewer tasks, and each thread takes some of it.
      startsAsNeeded: true,
      onRetry: (label, cause) => logger.warn(`task ${label} failed (${messageOf(cause)}) and runs once more`),
      onWorkerError: (error) => logger.warn(`a worker thread failed outside its task: ${messageOf(error)}`),
    })
  }

  /** Frees the memory of threads and kernels, once the tasks of builds that end are given up. */
  #closePool(): void {
    const pool = this.#pool
    this.#pool = undefined
    if (pool !== undefined) this.#await(Promise.allSettled([...this.#closing]).then(() => pool.close()))
  }

  #await(ending: Promise<void>): void {
    const told = ending.catch((error: unknown) => this.#facts.logger.warn(`at the end of a build: ${messageOf(error)}`))
    this.#closing.add(told)
    void told.then(() => this.#closing.delete(told))
  }

  #share(): void {
    const working: ServedBuild[] = []
    for (const { build, missingSince } of this.#served.values()) {
      if (missingSince === undefined && build.reason === '') working.push(build)
      else build.setSlots(0)
    }
    const slots = shareSlots(this.#facts, working)
    const spareBytes = spareBytesOf(this.#facts, working)
    for (const build of working) build.setSlots(slots.get(build.queue) ?? 0, spareBytes)
  }

  async #report(): Promise<void> {
    const rssBytes = process.memoryUsage.rss()
    this.#peakRssBytes = Math.max(this.#peakRssBytes, rssBytes)
    const present = [...this.#served].filter(([, { missingSince }]) => missingSince === undefined)
    await Promise.all(present.map(([queue, { build }]) => this.#board.report(queue, build.notice(rssBytes))))
  }
}

function addTo(sum: { builds: number; tasks: number; busySeconds: number }, build: ServedBuild): void {
  if (build.done > 0) sum.builds++
  sum.tasks += build.done
  sum.busySeconds += build.busySeconds
}
