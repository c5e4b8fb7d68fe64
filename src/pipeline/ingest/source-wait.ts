import { StalledError } from '../../errors.js'
import { isThenable, letGo } from '../../wording/value-kind.js'
import { abortError } from '../../tasks/abort-error.js'
import type { Uses } from '../run/run.js'

/** The longest interval between two checks of the clock. */
const LOOK_MS = 1000

/**
 * Awaits the promises of the source one by one, until the build is stopped or the source has given nothing for
 * `stallSeconds`. (Promise.race with one lasting promise would keep a reaction for every vector of the stream, and a
 * timer for each vector would cost more than the vector.)
 */
export class SourceWait {
  /** The source was still awaited when the wait ended; it may never answer. */
  givenUp = false
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined
  #reject: ((error: Error) => void) | undefined
  #sinceMs = 0
  readonly #onAbort = (): void => this.#giveUp(abortError(this.#signal))

  /** @param received records that the source has given so far. */
  constructor({ options, log }: Uses<'options' | 'log'>, received: () => number) {
    const { signal, stallSeconds } = options
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (stallSeconds === 0) return
    this.#timer = setInterval(
      () => {
        if (this.#reject === undefined || performance.now() - this.#sinceMs < 1000 * stallSeconds) return
        const doing = `the source gave ${received()} vectors and then nothing`
        const rssBytes = process.memoryUsage.rss()
        this.#giveUp(new StalledError({ stage: log.stageName, doing, stallSeconds, rssBytes }))
      },
      Math.min(LOOK_MS, 250 * stallSeconds),
    )
  }

  async for<Value>(given: Value | PromiseLike<Value>): Promise<Value> {
    // Promises of another realm or library are none of `Promise`.
    if (!isThenable<Value>(given)) return given
    // The listener does not receive an abort from before it was added.
    if (this.#signal?.aborted === true) {
      this.givenUp = true
      letGo(given)
      throw abortError(this.#signal)
    }
    try {
      return await new Promise<Value>((resolve, reject) => {
        this.#sinceMs = performance.now()
        this.#reject = reject
        given.then(resolve, reject)
      })
    } finally {
      this.#reject = undefined
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  #giveUp(error: Error): void {
    this.givenUp = this.#reject !== undefined
    this.#reject?.(error)
  }
}
