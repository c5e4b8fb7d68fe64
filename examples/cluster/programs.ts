/** The programs that the example starts, which all end with it. */
import { spawn, type ChildProcess } from 'node:child_process'

export class Program {
  readonly name: string
  readonly child: ChildProcess
  #output = ''
  readonly #closed: Promise<void>

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    }
    this.#closed = new Promise((resolve) => {
      this.child.on('error', (error) => (this.#output += `${error.message}\n`))
      this.child.on('close', () => resolve())
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Resolves when it has printed what matches. Rejects when it ends before, with what it printed. */
  async printed(pattern: RegExp): Promise<void> {
    let ended = false
    void this.#closed.then(() => (ended = true))
    while (!pattern.test(this.#output)) {
      if (ended) throw new Error(`${this.name} ended too early:\n${this.#output}`)
      await Promise.race([this.#closed, new Promise((resolve) => setTimeout(resolve, 20))])
    }
  }

  /** What it printed until it ended. */
  async end(signal: NodeJS.Signals): Promise<string> {
    this.child.kill(signal)
    await this.#closed
    return this.#output
  }
}
