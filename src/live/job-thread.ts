import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { IndexClosedError, WorkerFailedError } from '../errors.js'
import { internStrings } from '../interned.js'
import { ownFile } from '../own-files.js'
import { messageOf } from '../realms.js'
import { reviveError, type TaskOutcome } from '../tasks/task-outcome.js'
import type { JobName, Jobs } from './jobs.js'

/** A thread without work ends after this long. */
const IDLE_MS = 10_000

/** One thread that does jobs one after another, beside the searches of the caller's. */
export class JobThread {
  readonly #path: string
  readonly #piscina: Piscina
  #closed = false

  /** `path`: of the index, for errors. */
  constructor(path: string) {
    this.#path = path
    this.#piscina = new Piscina({
      filename: fileURLToPath(ownFile('workers/live-entry.cjs')),
      name: 'default',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      recordTiming: false,
    })
    // Without a listener an error event would end the caller's process; the job that failed rejects as well.
    this.#piscina.on('error', () => undefined)
  }

  /** @throws what the job throws; WorkerFailedError when its thread died; IndexClosedError when `close` ended it */
  async run<Name extends JobName>(
    name: Name,
    job: Jobs[Name]['job'],
    transferList: readonly ArrayBuffer[] = [],
  ): Promise<Jobs[Name]['result']> {
    // A pool that was destroyed would start a thread again.
    if (this.#closed) throw new IndexClosedError(this.#path)
    let outcome: TaskOutcome<Jobs[Name]['result']>
    try {
      const running: Promise<unknown> = this.#piscina.run({ name, job }, { transferList: [...transferList] })
      outcome = (await running) as TaskOutcome<Jobs[Name]['result']>
    } catch (error) {
      if (this.isClosed) throw new IndexClosedError(this.#path)
      throw new WorkerFailedError(`${name} (${messageOf(error)})`, error)
    }
    if (!outcome.ok) throw reviveError(outcome.error)
    return internStrings(outcome.value)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Ends the thread, with its job. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#piscina.destroy()
  }
}
