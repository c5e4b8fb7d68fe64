import { setImmediate } from 'node:timers/promises'
import { AbortedError, InvalidOptionError } from '../../errors.js'
import { promisedText } from '../../wording/value-kind.js'
import type { MeasureProgress } from '../../api/measure.js'

/** Other work of the thread waits about this long at most. */
const SLICE_MS = 10
const PROGRESS_MS = 100

export interface PaceHooks {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: MeasureProgress) => void
  /** Throws when the work must end. */
  readonly check: () => void
}

/** Long work on the caller's thread: lets other work run, can be aborted, and reports progress. */
export class Pace {
  readonly #hooks: PaceHooks
  #sliceEnd = performance.now() + SLICE_MS
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(hooks: PaceHooks) {
    this.#hooks = hooks
  }

  /**
   * Call between two pieces of work.
   * @throws AbortedError, and what `check` throws
   */
  async step(progress: MeasureProgress): Promise<void> {
    const now = performance.now()
    const { onProgress } = this.#hooks
    if (onProgress !== undefined && (now - this.#toldMs >= PROGRESS_MS || progress.done === progress.total)) {
      this.#toldMs = now
      const promised = promisedText('onProgress', onProgress(progress))
      if (promised !== undefined) throw new InvalidOptionError(promised)
    }
    if (now >= this.#sliceEnd) {
      await setImmediate()
      this.#sliceEnd = performance.now() + SLICE_MS
    }
    this.check()
  }

  /** @throws AbortedError, and what `check` throws */
  check(): void {
    const { signal, check } = this.#hooks
    if (signal?.aborted === true) {
      throw new AbortedError(signal.reason, 'measuring was interrupted; nothing was stored')
    }
    check()
  }
}
