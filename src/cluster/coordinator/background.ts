/** Work that nobody waits for until the end. */
export class Background {
  readonly #running = new Set<Promise<void>>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  run(work: Promise<unknown>): void {
    const settled = work.then(
      () => undefined,
      (error: unknown) => this.#onError(error),
    )
    this.#running.add(settled)
    void settled.finally(() => this.#running.delete(settled))
  }

  /** Waits for all of it, also for what begins meanwhile. */
  async end(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
