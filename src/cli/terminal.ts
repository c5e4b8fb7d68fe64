/** Where a command writes: its result on stdout, everything said on the way on stderr. No colour anywhere. */
import type { WriteStream } from 'node:tty'

/** To the start of the line, and erase from there: how a line is rewritten in place. */
const REWRITE = '\r\u001B[K'
/** Some terminals say 0. */
const DEFAULT_COLUMNS = 80

type Output = Pick<WriteStream, 'write' | 'on'> & { readonly isTTY?: boolean; readonly columns?: number }

export class Terminal {
  /** Whether stderr is a screen on which a line can be rewritten. */
  readonly isLive: boolean
  readonly #stdout: Output
  readonly #stderr: Output
  #statusShown = false
  #stderrGone = false
  #stdoutError: Error | undefined

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
    const { columns = 0 } = this.#stderr
    const width = columns > 0 ? columns : DEFAULT_COLUMNS
    // A line as wide as the screen would wrap, and then could not be rewritten.
    this.#writeStderr(REWRITE + line.slice(0, width - 1))
    this.#statusShown = true
  }

  clearStatus(): void {
    if (!this.#statusShown) return
    this.#statusShown = false
    this.#writeStderr(REWRITE)
  }

  /** Resolves when all of the result is written; with the error when it could not be. A reader who left is none. */
  async close(): Promise<Error | undefined> {
    this.clearStatus()
    await new Promise((resolve) => this.#stdout.write('', resolve))
    return this.#stdoutError
  }

  #writeStderr(text: string): void {
    if (!this.#stderrGone) this.#stderr.write(text)
  }

  /** After `shardloom … | head` the reader has seen enough: that is no failure. */
  readonly #onStdoutError = (error: Error): void => {
    if (!isClosedPipe(error)) this.#stdoutError = error
  }

  /** Nobody can be told, and a log that nobody gets is no reason to end a build. */
  readonly #onStderrError = (): void => {
    this.#stderrGone = true
  }
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE'
}
