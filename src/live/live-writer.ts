import type { CompactOptions, Durability, LiveEvent, LiveFacts, WriteOptions } from '../api/live.js'
import type { BuildReport } from '../api/report.js'
import type { Id } from '../api/vectors.js'
import { IndexClosedError } from '../errors.js'
import { readCurrent } from '../format/generation/current.js'
import type { Change } from '../format/live/log-change.js'
import type { LogWriter } from '../format/live/log-writer.js'
import type { LiveSettings } from '../format/live/parts-file.js'
import { messageOf } from '../realms.js'
import { stateFacts } from '../search/live/live-facts.js'
import { MAX_WAITING, memoryRows } from '../search/live/limits.js'
import { shareMemory } from '../search/live/share-memory.js'
import { openGeneration } from '../search/open-generation.js'
import { makeView, type OpenView } from '../search/open-view.js'
import { CommitQueue, type CommitTarget, type Committed, type Unnumbered } from './commit-queue.js'
import { JobThread } from './job-thread.js'
import { LiveStore } from './live-store.js'
import { Maintenance } from './maintenance.js'
import { takeOver } from './take-over.js'

export type WriterOptions = Omit<WriteOptions, 'write'> & {
  readonly durability: Durability
  readonly maxAgeSeconds: number
}

/** How often a writer looks for a generation that another process published. */
const WATCH_MS = 1000
/** Of the build of a part; beside what its vectors take. */
const PART_BUILD_BYTES = 256 * 2 ** 20

/** The one writer of a live index: when changes are written, sealed, merged and compacted. */
export class LiveWriter implements CommitTarget {
  readonly #store: LiveStore
  readonly #options: WriterOptions
  readonly #commits: CommitQueue
  readonly #maintenance: Maintenance
  /** Told of each view after the first. */
  onView: (view: OpenView) => Promise<void> = () => Promise.resolve()
  readonly #timers: NodeJS.Timeout[] = []
  #view: OpenView
  /** Ids that were changed while a generation is taken over. */
  #changed: Id[] | undefined
  #compacting: { readonly thread: JobThread; readonly done: Promise<BuildReport | undefined> } | undefined
  #compactions = 0
  #waits = 0
  #lastSeal = performance.now()
  #closed = false

  private constructor(store: LiveStore, view: OpenView, options: WriterOptions) {
    this.#store = store
    this.#view = view
    this.#options = options
    this.#commits = new CommitQueue(this)
    this.#maintenance = new Maintenance(store, {
      part: shareMemory(options).part,
      build: { threads: 1, memory: PART_BUILD_BYTES + 64 * 2 ** 20 },
      onEvent: (event) => this.#say(event),
      takeOver: () => this.#takeOver(),
    })
  }

  /** @throws as LiveStore.open */
  static async open(path: string, options: WriterOptions, create?: LiveSettings): Promise<LiveWriter> {
    const { store, view } = await LiveStore.open(path, options, create)
    const writer = new LiveWriter(store, view, options)
    if (store.torn !== undefined) {
      const { path: log, offset, bytes, reason } = store.torn
      writer.#say({
        kind: 'torn-log',
        message: `${log}: ${bytes} bytes from byte ${offset} on were cut off (${reason}): they were never acknowledged`,
      })
    }
    writer.#startTimers()
    writer.#maintenance.kick()
    return writer
  }

  /** What searches use now. */
  get view(): OpenView {
    return this.#view
  }
  get settings(): LiveSettings {
    return this.#store.state.settings
  }
  get dimensions(): number {
    return this.settings.dimensions
  }
  get lastSequence(): number {
    return this.#store.state.lastSequence
  }
  get isSynced(): boolean {
    return this.#options.durability === 'sync'
  }
  /** Rows of one change at most. */
  get mostRows(): number {
    return memoryRows(this.dimensions)
  }

  get facts(): LiveFacts {
    const { state, log } = this.#store
    return {
      ...stateFacts(state, log.endOffset),
      seals: this.#maintenance.seals,
      merges: this.#maintenance.merges,
      compactions: this.#compactions,
      waits: this.#waits,
      failures: this.#maintenance.failures,
    }
  }

  /** Resolves when the change is applied, and as safe as `durability` says. */
  commit(change: Unnumbered): Promise<Committed> {
    if (this.#closed) return Promise.reject(new IndexClosedError(this.#store.path))
    return this.#commits.commit(change)
  }

  /** Resolves when all changes before the call are in sealed parts. */
  async flush(): Promise<void> {
    await this.#commits.between(() => this.#freeze())
    await this.#maintenance.idle()
  }

  /** Builds the next generation from all that is sealed, and puts what changed meanwhile on top. One at a time. */
  compact(options: CompactOptions = {}): Promise<BuildReport | undefined> {
    if (this.#closed) return Promise.reject(new IndexClosedError(this.#store.path))
    if (this.#compacting === undefined) {
      const thread = new JobThread()
      const done = this.#compact(thread, options).finally(async () => {
        this.#compacting = undefined
        await thread.close()
      })
      this.#compacting = { thread, done }
    }
    return this.#compacting.done
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    const compacting = this.#compacting
    await compacting?.thread.close()
    // It was ended here; who called it is told.
    await compacting?.done.catch(() => undefined)
    await this.#commits.idle()
    await this.#maintenance.close()
    try {
      await this.#store.log.sync()
    } finally {
      await this.#store.close()
    }
  }

  /** For the commit queue: between two groups. */
  async roomFor(rows: number): Promise<{ log: LogWriter; rows: number }> {
    if (this.#used > 0 && this.#used + rows > this.mostRows) {
      await this.#waitForSeals()
      await this.#freeze()
    }
    return { log: this.#store.log, rows: this.mostRows - this.#used }
  }

  apply(change: Change): number {
    this.#changed?.push(...change.ids)
    return this.#store.state.apply(change)
  }

  get #used(): number {
    const memory = this.#store.state.memories.at(-1)
    return memory === undefined ? 0 : memory.part.rows + memory.part.deletes.size
  }

  /** The part in memory waits to be sealed from now on. */
  async #freeze(): Promise<void> {
    if (this.#used === 0) return
    this.#lastSeal = performance.now()
    await this.#store.rotate()
    this.#maintenance.kick()
  }

  async #waitForSeals(): Promise<void> {
    const { state } = this.#store
    if (state.memories.length < MAX_WAITING) return
    this.#waits++
    this.#say({ kind: 'write-waits', message: `${state.memories.length} parts in memory wait to be sealed` })
    // A failure ends the wait: the caller's change is refused with it, not kept waiting for ever.
    while (state.memories.length >= MAX_WAITING) await this.#maintenance.idle()
  }

  #startTimers(): void {
    const { durability, maxAgeSeconds } = this.#options
    this.#timers.push(setInterval(() => this.#watch(1000 * maxAgeSeconds), WATCH_MS).unref())
    if (typeof durability === 'object') {
      const sync = (): void => {
        // The log tells the next change.
        this.#store.log.sync().catch((error: unknown) => this.#failed('a sync of the log failed', error))
      }
      this.#timers.push(setInterval(sync, durability.everyMs).unref())
    }
  }

  #watch(maxAgeMs: number): void {
    this.#maintenance.kick()
    if (this.#used > 0 && performance.now() - this.#lastSeal > maxAgeMs) {
      this.#commits
        .between(() => this.#freeze())
        .catch((error: unknown) => this.#failed('a part in memory could not be frozen', error))
    }
    if (this.#isCompactionDue()) {
      this.compact().catch((error: unknown) => this.#failed('a compaction failed', error))
    }
  }

  #isCompactionDue(): boolean {
    const { compactWhen } = this.#options
    if (compactWhen === undefined || this.#compacting !== undefined) return false
    const { dead = Infinity, changed = Infinity } = compactWhen
    const { baseRows, deadRows, partRows } = this.facts
    return deadRows > dead * baseRows || partRows > changed * baseRows
  }

  async #compact(thread: JobThread, options: CompactOptions): Promise<BuildReport | undefined> {
    await this.flush()
    const { buildThreads: threads } = this.#options
    const report = await thread.run('compact', {
      indexDir: this.#store.path,
      options: { ...(threads !== undefined && { threads }), ...options },
    })
    this.#compactions++
    await this.#maintenance.idle()
    if (report !== undefined) {
      this.#say({ kind: 'compacted', message: `${report.generation} has ${report.count} vectors` })
    }
    return report
  }

  async #takeOver(): Promise<boolean> {
    const { path, state } = this.#store
    const current = await readCurrent(path)
    if (current === undefined || current.generation === state.base?.part.name) return false
    const base = await openGeneration(path, shareMemory(this.#options).base)
    const changed: Id[] = []
    this.#changed = changed
    try {
      base.lookup.hold()
      await base.lookup.loadFilter()
      const dropped = await takeOver(path, state, base, changed)
      await this.#show(base)
      for (const part of dropped) await part.close()
    } finally {
      this.#changed = undefined
    }
    await this.#store.persist()
    this.#say({ kind: 'took-over', message: `${current.generation} is under the changes now` })
    return true
  }

  async #show(base: OpenView['base']): Promise<void> {
    const old = this.#view
    this.#view = makeView(this.#store.path, base, old.live)
    // The changes stay open, with the new view.
    old.live = undefined
    await this.onView(this.#view)
  }

  #failed(what: string, error: unknown): void {
    if (!this.#closed) this.#say({ kind: 'maintenance-failed', message: `${what}: ${messageOf(error)}` })
  }

  #say(event: LiveEvent): void {
    this.#options.onEvent?.(event)
  }
}
