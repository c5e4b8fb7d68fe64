import type { CompactOptions, Durability, LiveEvent, LiveFacts, WriteOptions } from '../api/live.js'
import type { BuildReport } from '../api/report.js'
import type { Id } from '../api/vectors.js'
import { IndexClosedError, PathError } from '../errors.js'
import { readCurrent } from '../format/generation/current.js'
import type { Change } from '../format/live/log-change.js'
import { MAX_PAYLOAD_BYTES, payloadBytesOf } from '../format/live/log-frame.js'
import type { LogWriter } from '../format/live/log-writer.js'
import type { LiveSettings } from '../format/live/parts-file.js'
import { messageOf } from '../runtime/realms.js'
import { compactionNeed } from '../search/live/compaction-due.js'
import { stateFacts } from '../search/live/live-facts.js'
import { LIVE_LIMITS, memoryRows, type LiveLimits } from '../search/live/limits.js'
import { shareMemory } from '../search/live/share-memory.js'
import type { MemoryPart } from '../search/live/memory-part.js'
import type { Part } from '../search/live/part.js'
import { openGeneration } from '../search/open-generation.js'
import { makeView, type OpenView } from '../search/view/open-view.js'
import { CommitQueue, type CommitTarget, type Committed, type Unnumbered } from './commit-queue.js'
import { JobThread } from './jobs/job-thread.js'
import type { JobName } from './jobs/jobs.js'
import { LiveStore } from './live-store.js'
import { Maintenance, retryEvent } from './maintenance.js'
import { runAll } from './run-all.js'
import { takeOver } from './take-over.js'

export type WriterOptions = Omit<WriteOptions, 'write'> & {
  readonly durability: Durability
  readonly maxAgeSeconds: number
  /** Default LIVE_LIMITS. For tests: parts and merges of few rows. */
  readonly limits?: LiveLimits
}

/** How often a writer looks for a generation that another process published. */
const WATCH_MS = 1000
/** After a compaction that failed, before one starts by itself again. */
const COMPACT_AGAIN_MS = 60_000
/** How often a compaction begins anew because other builds were published meanwhile. */
const COMPACT_ATTEMPTS = 3
/** Memory of the build of a part, in all: what does not fit goes to temporary files. */
const PART_BUILD_BYTES = 320 * 2 ** 20

/** The one writer of a live index: when changes are written, sealed, merged and compacted. */
export class LiveWriter implements CommitTarget {
  readonly #store: LiveStore
  readonly #options: WriterOptions
  readonly #limits: LiveLimits
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
  /** No compaction starts by itself before. */
  #compactAfter = 0
  /** Of the timer. */
  #syncing: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  private constructor(store: LiveStore, view: OpenView, options: WriterOptions) {
    this.#store = store
    this.#view = view
    this.#options = options
    this.#limits = options.limits ?? LIVE_LIMITS
    this.#commits = new CommitQueue(this)
    this.#maintenance = new Maintenance(store, {
      part: shareMemory(options).part,
      build: { threads: 1, memory: PART_BUILD_BYTES },
      limits: this.#limits,
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
        message: `${log}: ${bytes} bytes from byte ${offset} on were cut off (${reason}): they were not on the device`,
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
    return memoryRows(this.dimensions, this.#limits)
  }

  /** Of vectors and fields of one change, about: fields take as much room as vectors do. */
  get mostBytes(): number {
    return this.settings.fields === undefined ? MAX_PAYLOAD_BYTES : 2 * this.#limits.memoryBytes
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
    if (this.#closed) throw new IndexClosedError(this.#store.path)
    await this.#commits.between(() => this.#freeze())
    await this.#maintenance.sealed()
  }

  /** Builds the next generation from all that is sealed, and puts what changed meanwhile on top. One at a time. */
  compact(options: CompactOptions = {}): Promise<BuildReport | undefined> {
    if (this.#closed) return Promise.reject(new IndexClosedError(this.#store.path))
    if (this.#compacting === undefined) {
      const onRetry = (job: JobName, cause: unknown): void => this.#say(retryEvent(job, cause))
      const thread = new JobThread(this.#store.path, { onRetry })
      const done = this.#compact(thread, options).finally(async () => {
        this.#compacting = undefined
        await thread.close()
      })
      this.#compacting = { thread, done }
    }
    return this.#compacting.done
  }

  /** Idempotent: calls share the one in progress. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  get #closed(): boolean {
    return this.#closing !== undefined
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    const compacting = this.#compacting
    await compacting?.thread.close()
    // It was ended here; who called it is told.
    await compacting?.done.catch(() => undefined)
    await this.#commits.idle()
    await this.#maintenance.close()
    await this.#syncing
    await runAll([() => this.#store.log.sync(), () => this.#mark(), () => this.#store.close()])
  }

  /** Changes are safe without it. */
  async #mark(): Promise<void> {
    const { log } = this.#store
    if (log.failure !== undefined) return
    await log.mark().catch((error: unknown) => {
      this.#say({ kind: 'maintenance-failed', message: `the log was not marked as whole: ${messageOf(error)}` })
    })
  }

  /** For the commit queue: between two groups. */
  async roomFor(change: Unnumbered): Promise<{ log: LogWriter; rows: number }> {
    const { log } = this.#store
    const bytes = log.endOffset + payloadBytesOf({ ...change, firstSequence: 1 })
    const fieldBytes = (this.#memory?.fieldBytes ?? 0) + (change.fields?.bytes.length ?? 0)
    const isFull =
      this.#used + change.ids.length > this.mostRows ||
      bytes > this.#limits.logBytes ||
      fieldBytes > this.#limits.memoryBytes
    if (this.#used > 0 && isFull) {
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
    const memory = this.#memory
    return memory === undefined ? 0 : memory.rows + memory.deletes.size
  }

  get #memory(): MemoryPart | undefined {
    return this.#store.state.memories.at(-1)?.part
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
    const isFull = (): boolean => state.memories.length >= this.#limits.maxWaiting
    if (!isFull()) return
    this.#waits++
    this.#say({ kind: 'write-waits', message: `${state.memories.length} parts in memory wait to be sealed` })
    // A failure ends the wait: the caller's change is refused with it, not kept waiting for ever.
    while (isFull()) await this.#maintenance.memoryFreed()
  }

  #startTimers(): void {
    const { durability, maxAgeSeconds } = this.#options
    this.#timers.push(setInterval(() => this.#watch(1000 * maxAgeSeconds), WATCH_MS).unref())
    if (typeof durability === 'object') {
      const sync = (): void => {
        // The log tells the next change.
        const { log } = this.#store
        if (log.failure !== undefined) return
        this.#syncing = log.sync().catch((error: unknown) => this.#failed('a sync of the log failed', error))
      }
      this.#timers.push(setInterval(sync, durability.everyMs).unref())
    }
  }

  #watch(maxAgeMs: number): void {
    this.#maintenance.kick()
    const { log } = this.#store
    if (log.failure === undefined) {
      log.assertThere().catch((error: unknown) => this.#failed('the log takes no more changes', error))
    }
    if (this.#used > 0 && performance.now() - this.#lastSeal > maxAgeMs) {
      this.#commits
        .between(() => this.#freeze())
        .catch((error: unknown) => this.#failed('a part in memory could not be frozen', error))
    }
    if (this.#isCompactionDue()) {
      this.compact().catch((error: unknown) => {
        this.#compactAfter = performance.now() + COMPACT_AGAIN_MS
        this.#failed('a compaction failed', error)
      })
    }
  }

  #isCompactionDue(): boolean {
    const { compactWhen } = this.#options
    if (compactWhen === undefined || this.#compacting !== undefined) return false
    // Of nothing no generation can be made.
    if (this.#store.state.count === 0 || performance.now() < this.#compactAfter) return false
    // Rows in memory alone are few, and sealed first.
    return compactionNeed({ ...this.facts, memoryRows: 0 }, compactWhen).due
  }

  async #compact(thread: JobThread, options: CompactOptions): Promise<BuildReport | undefined> {
    const { buildThreads: threads } = this.#options
    const { path } = this.#store
    const job = { indexDir: path, options: { ...(threads !== undefined && { threads }), ...options } }
    for (let attempt = 1; attempt <= COMPACT_ATTEMPTS; attempt++) {
      await this.flush()
      const compacted = await thread.run('compact', job)
      await this.#maintenance.passed('takeOver', 'persist')
      if (compacted.kind === 'other-base') continue
      this.#compactions++
      if (compacted.kind === 'empty') return undefined
      const { report } = compacted
      this.#say({ kind: 'compacted', message: `${report.generation} has ${report.count} vectors` })
      return report
    }
    throw new PathError(path, `other builds were published during ${COMPACT_ATTEMPTS} attempts to compact it`)
  }

  async #takeOver(): Promise<boolean> {
    const { path, state } = this.#store
    const current = await readCurrent(path)
    if (current === undefined || current.generation === state.base?.part.name) return false
    const base = await openGeneration(path, shareMemory(this.#options).base)
    const changed: Id[] = []
    this.#changed = changed
    let dropped: readonly Part[]
    try {
      base.lookup.hold()
      await base.lookup.loadFilter()
      dropped = await takeOver(path, state, base, changed)
    } catch (error) {
      await base.close()
      throw error
    } finally {
      this.#changed = undefined
    }
    this.#store.changed()
    await runAll([() => this.#show(base), ...dropped.map((part) => () => part.close())])
    await this.#store.persist()
    this.#say({ kind: 'took-over', message: `${current.generation} is under the changes now` })
    return true
  }

  async #show(base: OpenView['base']): Promise<void> {
    const old = this.#view
    this.#view = makeView(this.#store.path, base, old.live)
    old.handOver()
    await this.onView(this.#view)
  }

  #failed(what: string, error: unknown): void {
    if (!this.#closed) this.#say({ kind: 'maintenance-failed', message: `${what}: ${messageOf(error)}` })
  }

  #say(event: LiveEvent): void {
    try {
      this.#options.onEvent?.(event)
    } catch (error) {
      // The caller's function is not part of what is being done; its error is the caller's.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
