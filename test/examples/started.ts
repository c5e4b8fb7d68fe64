import { spawn, type ChildProcess } from 'node:child_process'
import { afterEach } from 'vitest'
import { TYPESCRIPT, type Ended, type RunOptions } from './run.js'

/** A program that runs beside the test. What still runs when the test ends is killed. */
export class Started {
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor(file: string, args: readonly string[], { cwd, env }: RunOptions) {
    const child = spawn(process.execPath, [...TYPESCRIPT, file, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      for (const look of this.#waiting) look()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode) => resolve({ exitCode, stdout: this.#stdout, stderr: this.#stderr }))
    })
  }

  /** What the pattern's group matches in what it printed, once it does. Rejects when the program ends before. */
  async printed(pattern: RegExp): Promise<string> {
    let look = (): void => undefined
    const found = new Promise<string>((resolve) => {
      look = () => {
        const match = pattern.exec(this.#stdout)
        if (match !== null) resolve(match[1] ?? match[0])
      }
    })
    this.#waiting.add(look)
    look()
    const ended = this.ended.then(({ exitCode, stdout, stderr }) => {
      const match = pattern.exec(stdout)
      if (match === null) throw new Error(`ended with ${exitCode} before it printed ${pattern}:\n${stdout}${stderr}`)
      return match[1] ?? match[0]
    })
    return Promise.race([found, ended]).finally(() => this.#waiting.delete(look))
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }
}

/** Starts programs of one test file. */
export function starter(): (file: string, args: readonly string[], options: RunOptions) => Started {
  const all: Started[] = []
  afterEach(async () => {
    for (const started of all.splice(0)) await started.end('SIGKILL')
  })
  return (file, args, options) => {
    const started = new Started(file, args, options)
    all.push(started)
    return started
  }
}
