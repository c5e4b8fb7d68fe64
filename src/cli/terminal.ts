/** Where a command writes: its result on stdout, everything said on the way on stderr. No colour anywhere. */
import type { WriteStream } from 'node:tty'

/** To the start of the line, and erase from there: how a line is rewritten in place. */
const REWRITE = '\r\u001B[K'
const DEFAULT_COLUMNS = 80

type Output = Pick<WriteStream, 'write' | 'on' | 'off'> & { readonly isTTY?: boolean; readonly columns?: number }

export class Terminal {
  /** Whether stderr is a screen on which a line can be rewritten. */
  readonly isLive: boolean
  readonly #stdout: Output
  readonly #stderr: Output
  #statusShown = false
  #stderrGone = false

  constructor(stdout: Output, stderr: Output, env = process.env) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.isLive = stderr.isTTY === true && env['TERM'] !== 'dumb'
    stdout.on('error', this.#onStdoutError)
    stderr.on('error', this.#onStderrError)
  }

  /** One line of the result. */
  print(line: string): void {
    this.clearStatus()
    this.#stdout.write(`${line}\n`)
  }

  /** The result of a command with --json: one object, one line. */
  printJson(value: object): void {
    this.print(JSON.stringify(value))
  }

  /** A line on stderr that stays. */
  log(line: string): void {
    this.clearStatus()
    this.#writeStderr(`${line}\n`)
  }

  /** The line that is rewritten in place; nothing where that is not possible. */
  status(line: string): void {
    if (!this.isLive) return
    const columns = this.#stderr.columns ?? DEFAULT_COLUMNS
    // A line as wide as the screen would wrap, and then could not be rewritten.
    this.#writeStderr(REWRITE + line.slice(0, columns - 1))
    this.#statusShown = true
  }

  clearStatus(): void {
    if (!this.#statusShown) return
    this.#statusShown = false
    this.#writeStderr(REWRITE)
  }

  close(): void {
    this.clearStatus()
  }

  #writeStderr(text: string): void {
    if (!this.#stderrGone) this.#stderr.write(text)
  }

  /** `shardloom … | head`: who reads has seen enough. Commands write their result last, so nothing is cut short. */
  readonly #onStdoutError = (error: Error): void => {
    if (isClosedPipe(error)) process.exit()
    throw error
  }

  /** Nobody listens to the log any more: no reason to end a build. */
  readonly #onStderrError = (error: Error): void => {
    if (!isClosedPipe(error)) throw error
    this.#stderrGone = true
  }
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE'
}
