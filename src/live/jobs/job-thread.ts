import { IndexClosedError, WorkerFailedError } from '../../errors.js'
import { internStrings } from '../../runtime/interned.js'
import { ownFile } from '../../own-files.js'
import { reviveError, type TaskOutcome } from '../../tasks/task-outcome.js'
import { ThreadPool } from '../../host/threads.js'
import type { JobName, Jobs } from './jobs.js'

export interface JobThreadOptions {
  /** Called before a job is run again. */
  readonly onRetry?: (job: JobName, cause: unknown) => void
  /** The entry point of its thread, for tests that have their own. */
  readonly entry?: URL
}

/** A thread without work ends after this long. */
const IDLE_MS = 10_000

/**
 * One thread that does jobs one after another, beside the searches of the caller's. A job whose thread died runs once
 * more, on a fresh one: jobs are repeatable, and what they are given is not moved to the thread.
 */
export class JobThread {
  readonly #path: string
  readonly #onRetry: (job: JobName, cause: unknown) => void
  readonly #threads: ThreadPool
  #closed = false

  /** `path`: of the index, for errors. */
  constructor(path: string, { onRetry, entry = ownFile('workers/live-entry.cjs') }: JobThreadOptions = {}) {
    this.#path = path
    this.#onRetry = onRetry ?? (() => undefined)
    this.#threads = new ThreadPool({ entry, name: 'default', minThreads: 0, maxThreads: 1, idleMs: IDLE_MS })
  }

  /** @throws what the job throws; WorkerFailedError when its thread died twice; IndexClosedError when `close` ended it */
  async run<Name extends JobName>(name: Name, job: Jobs[Name]['job']): Promise<Jobs[Name]['result']> {
    let outcome: TaskOutcome<Jobs[Name]['result']>
    try {
      outcome = await this.#attempt(name, job)
    } catch (error) {
      if (this.isClosed) throw new IndexClosedError(this.#path)
      this.#onRetry(name, error)
      outcome = await this.#attempt(name, job).catch((again: unknown) => {
        throw this.isClosed ? new IndexClosedError(this.#path) : new WorkerFailedError(name, again)
      })
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
    await this.#threads.close()
  }

  async #attempt<Name extends JobName>(name: Name, job: Jobs[Name]['job']): Promise<TaskOutcome<Jobs[Name]['result']>> {
    // A pool that was destroyed would start a thread again.
    if (this.#closed) throw new IndexClosedError(this.#path)
    return (await this.#threads.run({ name, job })) as TaskOutcome<Jobs[Name]['result']>
  }
}
