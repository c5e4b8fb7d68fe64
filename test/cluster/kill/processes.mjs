/** The processes of a build on many hosts: its coordinators and its workers. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const PROGRAM = here('../../../dist/bundle/lib/main.js')

/** Those that run: none outlives this process. */
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => process.exit(130))

/** Ends with this process at the latest. */
export function own(child) {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** A child process, what it said, and its end. */
export class Process {
  #child
  output = ''
  errors = ''
  /** Resolves to `{ code, signal }`. */
  ended

  constructor(args, env = {}) {
    const stdio = ['ignore', 'pipe', 'pipe']
    this.#child = own(spawn(process.execPath, args, { stdio, env: { ...process.env, ...env } }))
    this.#child.stdout.on('data', (text) => (this.output += text))
    this.#child.stderr.on('data', (text) => (this.errors += text))
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid() {
    return this.#child.pid
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  signal(name) {
    this.#child.kill(name)
  }

  /** Resolves when it has said `text`, or has ended. */
  async said(text) {
    while (this.isRunning && !this.output.includes(text) && !this.errors.includes(text)) await sleep(20)
  }
}

/** `shardloom worker`, a host of its own. */
export function startWorker(settings) {
  const { url, sharedDir, threads = 1, memory = '400MB', flags = [], env = {}, nodeFlags = [] } = settings
  const { program = PROGRAM } = settings
  const where = ['--cluster', url, '--shared-dir', sharedDir]
  const size = ['--threads', `${threads}`, '--memory', memory]
  return new Process([...nodeFlags, program, 'worker', ...where, ...size, ...flags], env)
}

/** A build, by coordinator.mjs: here when it has no `url`. */
export class Coordinator extends Process {
  constructor(build) {
    super([here('coordinator.mjs'), JSON.stringify(build)])
  }

  /** What it said as lines of JSON, and all else. */
  get lines() {
    return this.output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }

  /** Its report, events and operations, when it has ended. @throws Error when it failed */
  async finished() {
    const { code, signal } = await this.ended
    if (code !== 0)
      throw new Error(
        `the coordinator ended with ${signal ?? code}: ${this.errors.slice(-2000)}\n${this.output.slice(-2000)}`,
      )
    return this.told
  }

  get told() {
    const all = this.lines
    return {
      report: all.find(({ report }) => report !== undefined)?.report,
      events: all.flatMap(({ event }) => (event === undefined ? [] : [event])),
      operations: all.find(({ operations }) => operations !== undefined)?.operations,
    }
  }
}
