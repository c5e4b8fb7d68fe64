import { IndexClosedError } from '../../errors.js'
import type { IndexFacts } from '../../api/search.js'
import type { OpenView } from './open-view.js'

/** What `refresh` finds: another view; or whether the view that is open took something over. */
export type Refreshed = OpenView | boolean
export type Refresh = (view: OpenView) => Promise<Refreshed>

/**
 * The view that searches use, replaced by a newer one without a gap. A view that was replaced is closed when the last
 * work on it ends.
 */
export class Views {
  readonly #refreshView: Refresh
  #facts: IndexFacts
  #live: OpenView | undefined
  /** Number of pieces of work in progress, by view. */
  readonly #working = new Map<OpenView, number>()
  #refreshing: Promise<boolean> | undefined

  constructor(open: OpenView, refresh: Refresh) {
    this.#live = open
    this.#facts = open.facts
    this.#refreshView = refresh
  }

  /** Facts of the view that is open, or was open last. */
  get facts(): IndexFacts {
    return this.#facts
  }

  /** Undefined after `close`. */
  get current(): OpenView | undefined {
    return this.#live
  }

  /** @throws IndexClosedError after `close` */
  live(): OpenView {
    if (this.#live === undefined) throw new IndexClosedError(this.#facts.path)
    return this.#live
  }

  /** Runs work on the view that is live now and stays open until it ends, whatever `refresh` and `close` do. */
  async during<Result>(work: (open: OpenView) => Promise<Result>): Promise<Result> {
    const open = this.live()
    this.#working.set(open, (this.#working.get(open) ?? 0) + 1)
    try {
      return await work(open)
    } finally {
      const left = (this.#working.get(open) ?? 1) - 1
      if (left > 0) this.#working.set(open, left)
      else {
        this.#working.delete(open)
        if (open !== this.#live) await open.close()
      }
    }
  }

  /** Takes over what is newer on disk. One at a time: calls share the one in progress. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  close(): Promise<void> {
    return this.replace(undefined)
  }

  /** The next searches use `next`. */
  async replace(next: OpenView | undefined): Promise<void> {
    const old = this.#live
    this.#live = next
    if (next !== undefined) this.#facts = next.facts
    if (old !== undefined && !this.#working.has(old)) await old.close()
  }

  async #refresh(): Promise<boolean> {
    const newer = await this.#refreshView(this.live())
    if (typeof newer === 'boolean') return newer
    if (this.#live === undefined) {
      await newer.close()
      throw new IndexClosedError(this.#facts.path)
    }
    await this.replace(newer)
    return true
  }
}
