import type { Terminal } from './terminal.js'

/** Least time between two texts: a piece of work can take a millisecond. */
const STATUS_MS = 100

/** A status line for work that reports more often than a person can read. */
export class StatusLine {
  readonly #terminal: Terminal
  readonly #quiet: boolean
  #shownMs = 0

  constructor(terminal: Terminal, quiet: boolean) {
    this.#terminal = terminal
    this.#quiet = quiet
  }

  /** Calls `text` only when it is shown. */
  show(text: () => string): void {
    if (this.#quiet || performance.now() - this.#shownMs < STATUS_MS) return
    this.#shownMs = performance.now()
    this.#terminal.status(text())
  }
}
