/** Tells of the same trouble once, and at the end how often it came again. */
export class TroubleLog {
  readonly #tell: (message: string) => void
  readonly #counts = new Map<string, number>()

  constructor(tell: (message: string) => void) {
    this.#tell = tell
  }

  add(message: string): void {
    const count = this.#counts.get(message) ?? 0
    this.#counts.set(message, count + 1)
    if (count === 0) this.#tell(message)
  }

  /** Call it when nothing more can come. */
  end(): void {
    for (const [message, count] of this.#counts) if (count > 1) this.#tell(`${message} (${count} times in all)`)
    this.#counts.clear()
  }
}
