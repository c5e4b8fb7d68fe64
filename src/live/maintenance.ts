import { Signal } from '../../spill/signal.js'
import type { OpenOptions } from '../api/search.js'
import type { LiveEvent } from '../api/live.js'
import { pipnnEngine } from '../engines/pipnn/pipnn-engine.js'
import { IndexClosedError } from '../errors.js'
import { messageOf } from '../runtime/realms.js'
import { AliveRows } from '../search/live/alive-rows.js'
import { GraphPart } from '../search/live/graph-part.js'
import { leastGraphRows, type LiveLimits } from '../search/live/limits.js'
import { openPart } from '../search/live/load-live.js'
import { killIn, type SealedView } from '../search/live/live-state.js'
import type { PartEntry } from '../format/live/parts-file.js'
import { pinnedParts } from './clean-live.js'
import { frozenRows } from './jobs/frozen-rows.js'
import { JobThread } from './jobs/job-thread.js'
import type { JobName } from './jobs/jobs.js'
import type { LiveStore } from './live-store.js'
import { partsToMerge } from './jobs/merge-policy.js'
import type { NewPart } from './jobs/write-part.js'

export interface MaintenanceOptions {
  /** To open parts with. */
  readonly part: OpenOptions
  readonly build: NewPart['build']
  readonly limits: LiveLimits
  readonly onEvent: (event: LiveEvent) => void
  /** Takes over a newer generation, if there is one. */
  readonly takeOver: () => Promise<boolean>
}

/** After a failure, before the next attempt. */
const RETRY_MS = 5000

/** A part without a graph holds the fields of as many parts in memory at most. */
const FLAT_PARTS = 2

/** A graph of more rows is made in several shards, of which each row is in two: it takes twice as long a row. */
const SEAL_ROWS = pipnnEngine.shardMembers

/** A step that fails does not keep the others from being done. In this order. */
const STEPS = ['takeOver', 'persist', 'seal', 'merge'] as const
export type StepName = (typeof STEPS)[number]

/** Seals and merges, one after another, in a thread of its own. */
export class Maintenance {
  seals = 0
  merges = 0
  failures = 0
  readonly #store: LiveStore
  readonly #options: MaintenanceOptions
  readonly #thread: JobThread
  /** Returns whether there may be more to do. */
  readonly #steps: { readonly [Name in StepName]: () => Promise<boolean> }
  #working: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  /** Told when parts in memory were sealed. */
  readonly #memoryFreed = new Signal()
  /** Of the last pass. */
  #failed: ReadonlyMap<StepName, unknown> = new Map()
  #closed = false

  constructor(store: LiveStore, options: MaintenanceOptions) {
    this.#store = store
    this.#options = options
    this.#thread = new JobThread(store.path, { onRetry: (job, cause) => options.onEvent(retryEvent(job, cause)) })
    this.#steps = {
      takeOver: options.takeOver,
      persist: () => this.#persist(),
      seal: () => this.#seal(),
      merge: () => this.#merge(),
    }
  }

  /** Starts what there is to do. */
  kick(): void {
    if (this.#closed || this.#retry !== undefined) return
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  /** Resolves when all parts in memory but the last one are sealed. @throws why they are not */
  async sealed(): Promise<void> {
    const store = this.#store
    const last = store.state.memories.at(-1)?.log ?? 0
    const isSealed = (): boolean => !store.isStale && (store.state.memories.at(0)?.log ?? 0) >= last
    while (!isSealed()) await this.passed('persist', 'seal')
  }

  /** Resolves when parts in memory were sealed, before the merges that follow. @throws why they were not */
  async memoryFreed(): Promise<void> {
    await Promise.race([this.#memoryFreed.next(), this.passed('seal')])
  }

  /** Resolves after a pass that began after the call. @throws what one of these steps failed with in it */
  async passed(...names: readonly StepName[]): Promise<void> {
    // What is at work may have looked before the call.
    await this.#working
    clearTimeout(this.#retry)
    this.#retry = undefined
    if (this.#closed) throw new IndexClosedError(this.#store.path)
    this.kick()
    await this.#working
    for (const name of names) if (this.#failed.has(name)) throw this.#failed.get(name)
  }

  /** Ends the thread, with its job: an unfinished part is made again when the index is opened again. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#thread.close()
    await this.#working
  }

  async #work(): Promise<void> {
    const failed = new Map<StepName, unknown>()
    for (let isMore = true; isMore && !this.#closed;) {
      isMore = false
      for (const name of STEPS) if (!failed.has(name)) isMore = (await this.#try(name, failed)) || isMore
    }
    this.#failed = failed
    if (failed.size === 0 || this.#closed) return
    this.failures++
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.kick()
    }, RETRY_MS).unref()
    const [[name, error]] = failed
    this.#options.onEvent({
      kind: 'maintenance-failed',
      message: `${FAILED[name]} failed, and is tried again in ${RETRY_MS / 1000} s: ${messageOf(error)}`,
    })
  }

  async #try(name: StepName, failed: Map<StepName, unknown>): Promise<boolean> {
    if (this.#closed) return false
    try {
      return await this.#steps[name]()
    } catch (error) {
      failed.set(name, error)
      return false
    }
  }

  /** What an earlier attempt could not. */
  async #persist(): Promise<boolean> {
    if (this.#store.isStale) await this.#store.persist()
    return false
  }

  async #seal(): Promise<boolean> {
    const { state } = this.#store
    if (state.memories.length <= 1) return false
    const { views, ids, vectors, fields, sequences, deletes, origins } = frozenRows(state, SEAL_ROWS)
    let sealed: SealedView | undefined
    if (ids.length + deletes.ids.length > 0) {
      const job = { ...this.#partOf(), deletes, ids, vectors, fields, sequences }
      const entry = await this.#thread.run('seal', job)
      sealed = await this.#open(entry)
      for (const [at, { view, row }] of origins.entries())
        if (!view.alive.has(row)) killIn([sealed], ids[at], state.settings)
    }
    state.memories = state.memories.slice(views.length)
    if (sealed !== undefined) state.sealed = [...state.sealed, sealed]
    this.#store.changed()
    this.#memoryFreed.notify()
    this.seals++
    await this.#store.persist()
    this.#options.onEvent({
      kind: 'sealed',
      message: `${ids.length} rows and ${deletes.ids.length} deletes are in ${sealed?.entry.name ?? 'no part'}`,
    })
    return true
  }

  async #merge(): Promise<boolean> {
    const { path, state } = this.#store
    const pinned = await pinnedParts(path, state.base?.part.name ?? '')
    const free = state.sealed.filter(({ entry }) => !pinned.has(entry.name))
    const sizes = free.map(({ alive, entry }) => alive.alive + entry.deletes)
    const chosen = partsToMerge(sizes, this.#options.limits.maxParts)?.map((at) => free[at])
    if (chosen === undefined) return false
    const parts = chosen.map(({ entry, alive }) => ({ entry, dead: alive.deadRows() }))
    const entry = await this.#thread.run('merge', { ...this.#partOf(), parts })
    const merged = await this.#open(entry)
    for (const [at, { part, alive }] of chosen.entries()) {
      for (const row of diedSince(alive, parts[at].dead)) killIn([merged], part.idOf(row), state.settings)
    }
    const left = state.sealed.filter((view) => !chosen.includes(view))
    state.sealed = [...left, merged]
    this.#store.changed()
    this.merges++
    for (const { part } of chosen) await part.close()
    await this.#store.persist()
    this.#options.onEvent({
      kind: 'merged',
      message: `${chosen.map((view) => view.entry.name).join(', ')} became ${entry.name} of ${entry.rows} rows`,
    })
    return true
  }

  #partOf(): Pick<NewPart, 'indexDir' | 'number' | 'settings' | 'graphRows' | 'flatBytes' | 'build'> {
    const { build, limits } = this.#options
    const { path, state } = this.#store
    const flatBytes = FLAT_PARTS * limits.memoryBytes
    const graphRows = leastGraphRows(state.settings.dimensions, limits)
    return { indexDir: path, number: this.#store.takeNumber(), settings: state.settings, graphRows, flatBytes, build }
  }

  async #open(entry: PartEntry): Promise<SealedView> {
    const part = await openPart(this.#store.path, entry, this.#store.state, this.#options.part)
    if (part instanceof GraphPart) part.open.lookup.hold()
    return { part, alive: new AliveRows(part.rows), entry }
  }
}

const FAILED: { readonly [Name in StepName]: string } = {
  takeOver: 'taking over the newest generation',
  persist: 'writing PARTS',
  seal: 'sealing',
  merge: 'merging',
}

export function retryEvent(job: JobName, cause: unknown): LiveEvent {
  const message = `the thread of a ${job} failed, and it runs once more on a fresh one: ${messageOf(cause)}`
  return { kind: 'maintenance-failed', message }
}

/** Rows that are dead now and are not in `before`. */
function* diedSince(alive: AliveRows, before: Uint32Array): Generator<number> {
  const known = new Set(before)
  for (const row of alive.deadRows()) if (!known.has(row)) yield row
}
