const FIRST_MS = 500
const LONGEST_MS = 30_000

/**
 * A host on which tasks fail rests before it takes more: a read-only folder or a full quota may be its own trouble alone,
 * and a host that fails at once would take the tasks of all others. Each rest is twice as long as the one before it,
 * until a task succeeds.
 */
export class Rests {
  readonly #onEnd: () => void
  #failures = 0
  #timer: NodeJS.Timeout | undefined

  /** `onEnd` is called when a rest is over. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  get isResting(): boolean {
    return this.#timer !== undefined
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Begins a rest, of so many milliseconds; 0 during one. */
  failed(): number {
    if (this.isResting) return 0
    const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures++)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#onEnd()
    }, ms)
    return ms
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
