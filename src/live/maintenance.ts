import type { OpenOptions } from '../api/search.js'
import type { LiveEvent } from '../api/live.js'
import { messageOf } from '../realms.js'
import { AliveRows } from '../search/live/alive-rows.js'
import { GraphPart } from '../search/live/graph-part.js'
import { openPart } from '../search/live/load-live.js'
import { killIn, type SealedView } from '../search/live/live-state.js'
import type { PartEntry } from '../format/live/parts-file.js'
import { pinnedParts } from './clean-live.js'
import { frozenRows } from './frozen-rows.js'
import { JobThread } from './job-thread.js'
import type { LiveStore } from './live-store.js'
import { partsToMerge } from './merge-policy.js'
import type { NewPart } from './write-part.js'

export interface MaintenanceOptions {
  /** To open parts with. */
  readonly part: OpenOptions
  readonly build: NewPart['build']
  readonly onEvent: (event: LiveEvent) => void
  /** Takes over a newer generation, if there is one. */
  readonly takeOver: () => Promise<boolean>
}

/** After a failure, before the next attempt. */
const RETRY_MS = 5000

/** Seals and merges, one after another, in a thread of its own. */
export class Maintenance {
  seals = 0
  merges = 0
  failures = 0
  readonly #store: LiveStore
  readonly #options: MaintenanceOptions
  readonly #thread = new JobThread()
  #working: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #failure: { readonly error: unknown } | undefined
  #closed = false

  constructor(store: LiveStore, options: MaintenanceOptions) {
    this.#store = store
    this.#options = options
  }

  /** Why the last attempt failed; undefined when it did not. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  /** Starts what there is to do. */
  kick(): void {
    if (this.#closed || this.#retry !== undefined) return
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  /** Resolves when there is nothing to do. @throws what the last attempt failed with */
  async idle(): Promise<void> {
    if (this.#retry !== undefined) {
      clearTimeout(this.#retry)
      this.#retry = undefined
    }
    do {
      this.kick()
      await this.#working
    } while (this.#store.state.memories.length > 1 && this.#failure === undefined && !this.#closed)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Ends the thread, with its job: an unfinished part is made again when the index is opened again. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#thread.close()
    await this.#working
  }

  async #work(): Promise<void> {
    try {
      while (await this.#step());
      this.#failure = undefined
    } catch (error) {
      if (this.#closed) return
      this.failures++
      this.#failure = { error }
      this.#options.onEvent({
        kind: 'maintenance-failed',
        message: `sealing or merging failed, and is tried again in ${RETRY_MS / 1000} s: ${messageOf(error)}`,
      })
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.kick()
      }, RETRY_MS).unref()
    }
  }

  /** Returns whether there may be more to do. */
  async #step(): Promise<boolean> {
    if (this.#closed) return false
    if (await this.#options.takeOver()) return true
    if (this.#store.state.memories.length > 1) {
      await this.#seal()
      return true
    }
    return this.#merge()
  }

  async #seal(): Promise<void> {
    const { path, state } = this.#store
    const { views, ids, vectors, sequences, deletes, origins } = frozenRows(state)
    let sealed: SealedView | undefined
    if (ids.length + deletes.ids.length > 0) {
      const job = { indexDir: path, number: this.#store.takeNumber(), settings: state.settings, deletes }
      const entry = await this.#thread.run('seal', { ...job, ids, vectors, sequences, build: this.#options.build }, [
        vectors.buffer as ArrayBuffer,
      ])
      sealed = await this.#open(entry)
      for (const [at, { view, row }] of origins.entries())
        if (!view.alive.has(row)) killIn([sealed], ids[at], state.settings)
    }
    state.memories = state.memories.slice(views.length)
    if (sealed !== undefined) state.sealed = [...state.sealed, sealed]
    state.version++
    this.seals++
    await this.#store.persist()
    this.#options.onEvent({
      kind: 'sealed',
      message: `${ids.length} rows and ${deletes.ids.length} deletes are in ${sealed?.entry.name ?? 'no part'}`,
    })
  }

  async #merge(): Promise<boolean> {
    const { path, state } = this.#store
    const pinned = await pinnedParts(path, state.base?.part.name ?? '')
    const free = state.sealed.filter(({ entry }) => !pinned.has(entry.name))
    const chosen = partsToMerge(free.map(({ alive, entry }) => alive.alive + entry.deletes))?.map((at) => free[at])
    if (chosen === undefined) return false
    const parts = chosen.map(({ entry, alive }) => ({ entry, dead: alive.deadRows() }))
    const job = { indexDir: path, number: this.#store.takeNumber(), settings: state.settings, parts }
    const entry = await this.#thread.run('merge', { ...job, build: this.#options.build })
    const merged = await this.#open(entry)
    for (const [at, { part, alive }] of chosen.entries()) {
      for (const row of diedSince(alive, parts[at].dead)) killIn([merged], part.idOf(row), state.settings)
    }
    const left = state.sealed.filter((view) => !chosen.includes(view))
    state.sealed = [...left, merged]
    state.version++
    this.merges++
    for (const { part } of chosen) await part.close()
    await this.#store.persist()
    this.#options.onEvent({
      kind: 'merged',
      message: `${chosen.map((view) => view.entry.name).join(', ')} became ${entry.name} of ${entry.rows} rows`,
    })
    return true
  }

  async #open(entry: PartEntry): Promise<SealedView> {
    const part = await openPart(this.#store.path, entry, this.#store.state, this.#options.part)
    if (part instanceof GraphPart) part.open.lookup.hold()
    return { part, alive: new AliveRows(part.rows), entry }
  }
}

/** Rows that are dead now and are not in `before`. */
function* diedSince(alive: AliveRows, before: Uint32Array): Generator<number> {
  const known = new Set(before)
  for (const row of alive.deadRows()) if (!known.has(row)) yield row
}
