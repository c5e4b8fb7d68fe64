import type { TaskName } from '../../tasks/tasks.js'

/** One handing-out of a task. */
export interface Attempt {
  /** As in `TaskJob`. */
  readonly id: string
  readonly task: OutstandingTask
  /** 'returned': its outcome is being read. */
  state: 'waiting' | 'running' | 'returned'
  /** The host that runs it, as far as it is known. */
  host: string | undefined
  /** When it began to run, on the coordinator's clock; undefined while it waits. */
  startedMs: number | undefined
}

/** A task without a result. */
export interface OutstandingTask {
  readonly number: number
  readonly name: TaskName
  readonly label: string
  /** Those that may still bring the result. */
  readonly attempts: readonly Attempt[]
  /** How many attempts failed; those lost to dead hosts are not among them. */
  readonly failures: number
  /** The hosts that they failed on, as far as they are known. */
  readonly failedOn: ReadonlySet<string>
}

interface Entry extends OutstandingTask {
  attempts: Attempt[]
  failures: number
  failedOn: Set<string>
  given: number
}

/** The tasks that are given out: their attempts, who runs them and since when. Pure; times are the caller's. */
export class OutstandingTasks {
  readonly #tasks = new Map<number, Entry>()
  readonly #attempts = new Map<string, Attempt>()
  #next = 0

  get size(): number {
    return this.#tasks.size
  }

  get attempts(): Iterable<Attempt> {
    return this.#attempts.values()
  }

  /** A new task, of which there is no attempt yet. */
  open(name: TaskName, label: string): OutstandingTask {
    const task: Entry = { number: this.#next++, name, label, attempts: [], failures: 0, failedOn: new Set(), given: 0 }
    this.#tasks.set(task.number, task)
    return task
  }

  /** Another attempt of a task; undefined when its result has come. */
  give({ number }: OutstandingTask): Attempt | undefined {
    const task = this.#tasks.get(number)
    if (task === undefined) return undefined
    const id = `${number}.${task.given++}`
    const attempt: Attempt = { id, task, state: 'waiting', host: undefined, startedMs: undefined }
    task.attempts.push(attempt)
    this.#attempts.set(id, attempt)
    return attempt
  }

  find(id: string): Attempt | undefined {
    return this.#attempts.get(id)
  }

  /**
   * An attempt runs, on `host` if that is known. Returns the host that ran it before, and lost it; undefined when none
   * did.
   */
  started(id: string, nowMs: number, host?: string): string | undefined {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return undefined
    const before = attempt.host
    const isLost = before !== undefined && host !== undefined && before !== host
    if (attempt.state === 'waiting' || isLost) attempt.startedMs = nowMs
    if (attempt.state === 'waiting') attempt.state = 'running'
    attempt.host = host ?? before
    return isLost ? before : undefined
  }

  /** An attempt waits in the queue, again or still. Returns the host that gave it back, or lost it. */
  waits(id: string): string | undefined {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return undefined
    const { host } = attempt
    Object.assign(attempt, { state: 'waiting', host: undefined, startedMs: undefined } satisfies Partial<Attempt>)
    return host
  }

  /** A host has returned the outcome of an attempt. */
  returned(id: string): void {
    const attempt = this.#attempts.get(id)
    if (attempt !== undefined) attempt.state = 'returned'
  }

  /** An attempt brings no result any more. `isFailure`: it counts among the task's failures, on `host` if that is known. */
  end(id: string, isFailure: boolean, host?: string): void {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return
    this.#attempts.delete(id)
    const task = this.#tasks.get(attempt.task.number)
    if (task === undefined) return
    task.attempts = task.attempts.filter((each) => each !== attempt)
    if (!isFailure) return
    task.failures++
    if (host !== undefined) task.failedOn.add(host)
  }

  /** The task has its result, or is given up. Returns the attempts that were left. */
  close({ number }: OutstandingTask): readonly Attempt[] {
    const task = this.#tasks.get(number)
    if (task === undefined) return []
    this.#tasks.delete(number)
    for (const { id } of task.attempts) this.#attempts.delete(id)
    return task.attempts
  }
}
