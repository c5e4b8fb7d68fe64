import type { Terminal } from './terminal.js'

/** At most so often: a piece of work can take a millisecond. */
const STATUS_MS = 100

/** A status line of work that reports more often than anybody reads. */
export class StatusLine {
  readonly #terminal: Terminal
  readonly #quiet: boolean
  #shownMs = 0

  constructor(terminal: Terminal, quiet: boolean) {
    this.#terminal = terminal
    this.#quiet = quiet
  }

  /** `text` is only asked for when it is shown. */
  show(text: () => string): void {
    if (this.#quiet || performance.now() - this.#shownMs < STATUS_MS) return
    this.#shownMs = performance.now()
    this.#terminal.status(text())
  }
}
