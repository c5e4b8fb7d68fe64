/** Where a command writes: its result on stdout, messages and progress on stderr. */
import type { WriteStream } from 'node:tty'
import { painter, wantsColour, type Paint } from './colour.js'
import type { Failure } from '../failure.js'
import type { JsonLog } from './json-log.js'
import type { Look } from './live-frame.js'

/** Goes to the start of the line and erases it, so that the line is rewritten in place. */
const REWRITE = '\r\u001B[K'
/** For terminals that report 0. */
const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24

type Output = Pick<WriteStream, 'write' | 'on'> & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export class Terminal {
  /** Whether stderr is a screen on which a line can be rewritten. */
  readonly isLive: boolean
  readonly #stdout: Output
  readonly #stderr: Output
  readonly #paint: Paint
  readonly #ascii: boolean
  #statusShown = false
  /** Rewrites several lines in place; absent until `openFrame`. */
  #frames: { (text: string): void; clear(): void; done(): void } | undefined
  /** With --log-format json. */
  #json: JsonLog | undefined
  #stderrGone = false
  #stdoutError: Error | undefined

  constructor(stdout: Output, stderr: Output, env = process.env) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.isLive = stderr.isTTY === true && env['TERM'] !== 'dumb'
    this.#paint = painter(wantsColour(stderr.isTTY === true, env))
    // The Linux console and old Windows ones have no check mark.
    this.#ascii = env['TERM'] === 'linux' || (process.platform === 'win32' && env['WT_SESSION'] === undefined)
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
    if (this.#json !== undefined) return this.#json.info({}, line)
    this.clearStatus()
    this.#writeStderr(`${line}\n`)
  }

  /** As `log`; with JSON logs the numbers are fields. */
  logFields(fields: object, line: string): void {
    if (this.#json === undefined) this.log(line)
    else this.#json.info(fields, line)
  }

  warn(message: string, fields: object = {}): void {
    if (this.#json === undefined) this.log(`${this.#paint('yellow', 'warning:')} ${message}`)
    else this.#json.warn(fields, message)
  }

  /** The error that a command ends with. */
  fail({ code, message, exitCode, stack }: Pick<Failure, 'code' | 'message' | 'exitCode' | 'stack'>): void {
    if (this.#json === undefined) {
      this.log(`${this.#paint('red', 'error:')} ${message}`)
      if (stack !== undefined) this.log(stack)
    } else this.#json.error({ event: 'failed', code, exitCode, stack }, message)
  }

  /** From here on everything on stderr is one JSON object a line. */
  async logJson(): Promise<void> {
    const { jsonLog } = await import('./json-log.js')
    this.#json ??= jsonLog((line) => this.#writeStderr(line))
  }

  get look(): Look {
    return { columns: this.#columns, paint: this.#paint, ascii: this.#ascii }
  }

  /** Await this before the first frame: the module that rewrites lines is loaded only for a screen. */
  async openFrame(): Promise<void> {
    const { createLogUpdate } = await import('log-update')
    this.#frames ??= createLogUpdate(this.#screen() as WriteStream)
  }

  /** Rewrites `lines` in place, none wider than the screen; does nothing where that is not possible. */
  frame(lines: readonly string[]): void {
    if (!this.isLive || this.#stderrGone) return
    this.#frames?.(lines.join('\n'))
  }

  /** Keeps the last frame on the screen, and shows the cursor again. */
  keepFrame(): void {
    this.#frames?.done()
  }

  /** Rewrites `line` in place; does nothing where that is not possible. */
  status(line: string): void {
    if (!this.isLive) return
    // A line as wide as the screen would wrap, and then could not be rewritten.
    this.#writeStderr(REWRITE + line.slice(0, this.#columns - 1))
    this.#statusShown = true
  }

  /** stderr for frames: it has a size, and ignores that its reader has left. */
  #screen(): Pick<WriteStream, 'isTTY' | 'columns' | 'rows' | 'write'> {
    const columns = (): number => this.#columns
    const rows = (): number => (this.#stderr.rows ?? 0) || DEFAULT_ROWS
    return {
      isTTY: true,
      get columns() {
        return columns()
      },
      get rows() {
        return rows()
      },
      write: (text: string | Uint8Array) => {
        this.#writeStderr(String(text))
        return true
      },
    }
  }

  get #columns(): number {
    const { columns = 0 } = this.#stderr
    return columns > 0 ? columns : DEFAULT_COLUMNS
  }

  clearStatus(): void {
    if (!this.#stderrGone) this.#frames?.clear()
    if (!this.#statusShown) return
    this.#statusShown = false
    this.#writeStderr(REWRITE)
  }

  /** Resolves when the whole result is written; with the error if that failed. A reader that left is not an error. */
  async close(): Promise<Error | undefined> {
    this.clearStatus()
    this.keepFrame()
    await new Promise((resolve) => this.#stdout.write('', resolve))
    return this.#stdoutError
  }

  #writeStderr(text: string): void {
    if (!this.#stderrGone) this.#stderr.write(text)
  }

  /** In `shardloom … | head` the reader leaves when it has enough, which is not an error. */
  readonly #onStdoutError = (error: Error): void => {
    if (!isClosedPipe(error)) this.#stdoutError = error
  }

  /** A build goes on without its log. */
  readonly #onStderrError = (): void => {
    this.#stderrGone = true
  }
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE'
}
