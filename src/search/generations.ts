import { IndexClosedError } from '../errors.js'
import type { IndexFacts } from '../api/search.js'
import type { OpenGeneration } from './open-generation.js'

/** Opens the live generation when it is another than `than`. */
export type OpenNewer = (than: IndexFacts) => Promise<OpenGeneration | undefined>

/**
 * The generation that searches use, replaced by a newer one without a gap. A generation that was replaced is closed
 * when the last work on it ends.
 */
export class Generations {
  readonly #openNewer: OpenNewer
  #facts: IndexFacts
  #live: OpenGeneration | undefined
  /** Number of pieces of work in progress, by generation. */
  readonly #working = new Map<OpenGeneration, number>()
  #refreshing: Promise<boolean> | undefined

  constructor(open: OpenGeneration, openNewer: OpenNewer) {
    this.#live = open
    this.#facts = open.facts
    this.#openNewer = openNewer
  }

  /** Facts of the generation that is open, or was open last. */
  get facts(): IndexFacts {
    return this.#facts
  }

  /** @throws IndexClosedError after `close` */
  live(): OpenGeneration {
    if (this.#live === undefined) throw new IndexClosedError(this.#facts.path)
    return this.#live
  }

  /** Runs work on the generation that is live now and stays open until it ends, whatever `refresh` and `close` do. */
  async during<Result>(work: (open: OpenGeneration) => Promise<Result>): Promise<Result> {
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

  /** Takes over the live generation on disk, if it is another one. One at a time: calls share the one in progress. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  close(): Promise<void> {
    return this.#replace(undefined)
  }

  async #refresh(): Promise<boolean> {
    const newer = await this.#openNewer(this.live().facts)
    if (newer === undefined) return false
    if (this.#live === undefined) {
      await newer.close()
      throw new IndexClosedError(this.#facts.path)
    }
    const replaced = this.#replace(newer)
    this.#facts = newer.facts
    await replaced
    return true
  }

  async #replace(next: OpenGeneration | undefined): Promise<void> {
    const old = this.#live
    this.#live = next
    if (old !== undefined && !this.#working.has(old)) await old.close()
  }
}
