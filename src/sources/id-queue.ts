/** Regroups ids from arrays of any length into as many as a batch has rows. */
import type { Id } from '../api/vectors.js'

type IdArrays = AsyncGenerator<Id[], void, void>

const SKIPPED_AT_ONCE = 10_000

export class IdQueue {
  readonly #arrays: IdArrays
  #current: Id[] = []
  #at = 0
  taken = 0

  constructor(arrays: IdArrays) {
    this.#arrays = arrays
  }

  /** The next `count` ids; fewer only at the end. */
  async take(count: number): Promise<Id[]> {
    const ids: Id[] = []
    while (ids.length < count) {
      if (this.#at === this.#current.length) {
        const next = await this.#arrays.next()
        if (next.done === true) break
        this.#current = next.value
        this.#at = 0
      }
      const end = Math.min(this.#current.length, this.#at + count - ids.length)
      while (this.#at < end) ids.push(this.#current[this.#at++])
    }
    this.taken += ids.length
    return ids
  }

  async skip(count: number): Promise<void> {
    const until = this.taken + count
    while (this.taken < until) {
      if ((await this.take(Math.min(SKIPPED_AT_ONCE, until - this.taken))).length === 0) return
    }
  }

  /** Counts the ids that were not taken. */
  async countRest(): Promise<number> {
    let count = this.#current.length - this.#at
    for await (const ids of this.#arrays) count += ids.length
    return count
  }

  async close(): Promise<void> {
    await this.#arrays.return()
  }
}
