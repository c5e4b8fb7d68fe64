import { setMaxListeners } from 'node:events'
import { Signal } from '../../../spill/signal.js'
import { DiskFullError, ShardloomError, StalledError, WorkerFailedError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import { abortError } from '../../tasks/abort-error.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import type { TaskFiles } from '../files/task-files.js'
import type { GivenTask } from '../files/task-effects.js'
import type { TaskDone, TaskJob } from '../messages.js'
import type { JobQueue } from '../redis/job-queue.js'
import { acceptResult, type Accepted } from './accept-result.js'
import { Background } from './background.js'
import type { HeldOutputs, OutputRoom } from './held-outputs.js'
import type { HostList } from './host-list.js'
import { OutstandingTasks, type Attempt, type OutstandingTask } from './outstanding-tasks.js'
import { TaskDurations, taskToRepeat } from './speculation.js'

export interface GivenTasksParts {
  readonly version: string
  readonly queue: Pick<JobQueue, 'add' | 'remove' | 'states'>
  readonly files: Pick<TaskFiles, 'encode' | 'readOutcome' | 'discard' | 'forget'>
  readonly hosts: HostList
  readonly outputs: HeldOutputs
  readonly signal: AbortSignal
  /** 0 waits forever. */
  readonly stallSeconds: number
  readonly onEvent: (kind: string, message: string) => void
  /** Is told of what no task waits for: jobs and files that stay behind. */
  readonly onTrouble: (message: string) => void
  readonly stageName: () => string
  readonly nowMs: () => number
  /** A task that failed waits for this long, times its failures, before it goes out again. Default 1 s. */
  readonly retryMs?: number
}

/** The result of a task; `output` is what it filled, when it fills an output. */
export interface Given<Result> {
  readonly value: Result
  readonly output: Uint8Array | undefined
  readonly release: () => void
}

/** The message of DiskFullError. */
const DISK_FULL = /^(.+): the disk is full: (\d+) bytes to write, (\d+) bytes free/
/**
 * A task fails when this many of its attempts did, on as many hosts or on all that there are: one host on which
 * everything fails takes tasks faster than the others, and must not end the build.
 */
const MOST_FAILURES = 3
/** Or this many anywhere, over ten minutes: the other hosts never took it. */
const LAST_FAILURE = 30
/**
 * What failed on a host that has not noticed something yet (a new file by NFS, a new run of the build) would fail again
 * at once; hosts look once a second.
 */
const RETRY_MS = 1000
const MOST_RETRY_MS = 30_000
/** Ends of attempts that are remembered: Redis tells some of them twice. */
const REMEMBERED_ENDS = 4096
const NO_ROOM: OutputRoom = { acquire: (bytes) => new Uint8Array(bytes), release: () => undefined }

interface Waiting {
  readonly job: Omit<TaskJob, 'id'>
  readonly accept: (done: TaskDone) => Promise<Accepted<TaskName>>
  readonly reject: (error: unknown) => void
  /** Outcomes of one task are read one after another. */
  turn: Promise<void>
}

/**
 * Gives tasks to the hosts of a build by way of its queue, and takes their results. A task whose attempt failed goes out
 * again, to other hosts too; the first whole result counts.
 */
export class GivenTasks {
  readonly #parts: GivenTasksParts
  readonly #outstanding = new OutstandingTasks()
  readonly #waiting = new Map<number, Waiting>()
  readonly #durations = new TaskDurations()
  /** Attempts on their way into the queue. */
  readonly #adding = new Set<string>()
  /** Attempts whose end is known: told by their host, or given up. */
  readonly #ended = new Map<string, 'told' | 'given up'>()
  readonly #background: Background
  /** Hosts whose last task failed. */
  readonly #sick = new Set<string>()
  /** Tasks that go out again later. */
  readonly #retries = new Set<NodeJS.Timeout>()
  readonly #onAbort = (): void => this.fail(abortError(this.#parts.signal))
  /** A task ended, or tasks may go out again. */
  readonly #changed = new Signal()
  #paused = false
  #failure: { readonly error: unknown } | undefined
  #progressMs = 0
  #repeated = 0
  #busyMs = 0
  #tileMs = 0

  constructor(parts: GivenTasksParts) {
    this.#parts = parts
    // What no task waits for: what is left undone is found by check(), or goes with the folder of results.
    this.#background = new Background((error) => parts.onTrouble(messageOf(error)))
    setMaxListeners(0, parts.signal)
    parts.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Tasks without a result. */
  get size(): number {
    return this.#outstanding.size
  }

  /** Tasks that a host has, as far as it is known. */
  runningOn(host: string): number {
    let count = 0
    for (const attempt of this.#outstanding.attempts) if (attempt.host === host) count++
    return count
  }

  get work(): { readonly busyMs: number; readonly tileMs: number } {
    return { busyMs: this.#busyMs, tileMs: this.#tileMs }
  }

  /** Runs a task on some host. `outputBytes`: for a task that fills an output. */
  async give<Name extends TaskName>(
    name: Name,
    task: GivenTask<Name>,
    label: string,
    outputBytes?: number,
  ): Promise<Given<Tasks[Name]['result']>> {
    const { files, version } = this.#parts
    while (this.#paused && this.size > 0) await this.#changed.next()
    this.#throwIfFailed()
    if (this.size === 0) this.#progressMs = this.#parts.nowMs()
    const open = this.#outstanding.open(name, label)
    try {
      const place = await files.encode(String(open.number), name, task, outputBytes)
      this.#throwIfFailed()
      return await new Promise((resolve, reject) => {
        const accept = async (done: TaskDone): Promise<Accepted<Name>> => {
          const room = await this.#roomFor(outputBytes)
          const accepted = await acceptResult(() => files.readOutcome(name, task, done, room))
          if (accepted.kind === 'result' && this.#failure === undefined) {
            const { value, output } = accepted.outcome
            // Before the task closes: it is not one of the attempts that are left, whose files must be looked for.
            this.#outstanding.end(done.id, false)
            resolve({ value, output, release: room.release })
          } else room.release()
          return accepted
        }
        const job = { version, name, label, task: place }
        this.#waiting.set(open.number, { job, accept, reject, turn: Promise.resolve() })
        this.#send(open)
      })
    } finally {
      this.#waiting.delete(open.number)
      const left = this.#outstanding.close(open)
      for (const { id } of left) this.#background.run(this.#parts.queue.remove(id))
      this.#background.run(files.forget(String(open.number), left.length > 0 || open.failures > 0))
      this.#changed.notify()
    }
  }

  /** While paused, no task goes out beside another one. */
  pause(paused: boolean): void {
    this.#paused = paused
    this.#changed.notify()
  }

  /** A host has taken an attempt. */
  onActive(id: string, host?: string): void {
    const before = this.#outstanding.started(id, this.#parts.nowMs(), host)
    if (before !== undefined) this.#countLost(before)
  }

  /** An attempt waits in the queue again: its host gave it back, or said nothing for too long. */
  onWaiting(id: string): void {
    const before = this.#outstanding.waits(id)
    if (before !== undefined) this.#countLost(before)
  }

  /** A host has returned an outcome. */
  onDone(done: TaskDone): void {
    const end = this.#ended.get(done.id)
    if (end === 'told') return
    this.#noteEnd(done.id, 'told')
    const attempt = this.#outstanding.find(done.id)
    const waiting = attempt && this.#waiting.get(attempt.task.number)
    if (attempt === undefined || waiting === undefined) {
      if (end === undefined) this.#countLost(done.host)
      this.#drop(done)
      return
    }
    this.#outstanding.returned(done.id)
    waiting.turn = waiting.turn
      .then(() => this.#accept(waiting, attempt, done))
      .catch((error: unknown) => this.fail(error))
    this.#background.run(waiting.turn)
  }

  /** The attempt of a host that could not even return an outcome. */
  onFailed(id: string, reason: string, host?: string): void {
    const attempt = this.#outstanding.find(id)
    if (attempt === undefined || this.#ended.has(id)) return
    this.#noteEnd(id, 'told')
    this.#failed(attempt, host ?? attempt.host, new Error(reason))
  }

  /**
   * Compares what is given out with what Redis has: it may have lost jobs, and events of it may have been missed. Tasks
   * of hosts that are gone go to others.
   */
  async check(): Promise<void> {
    const { queue, hosts } = this.#parts
    const ids: string[] = []
    for (const { id } of this.#outstanding.attempts) if (!this.#adding.has(id) && !this.#ended.has(id)) ids.push(id)
    if (ids.length === 0) return
    let forgotten = 0
    for (const [id, { state, host, done, reason }] of await queue.states(ids)) {
      const attempt = this.#outstanding.find(id)
      if (attempt === undefined || this.#ended.has(id)) continue
      if (state === 'done' && done !== undefined) this.onDone(done)
      else if (state === 'failed') this.onFailed(id, reason ?? 'it failed without a reason', host)
      else if (state === 'active') {
        this.onActive(id, host)
        if (attempt.host !== undefined && hosts.isGone(attempt.host)) this.#giveElsewhere(attempt, attempt.host)
      } else {
        this.onWaiting(id)
        if (state !== 'unknown') continue
        forgotten++
        this.#add(attempt)
      }
    }
    if (forgotten > 0) {
      this.#parts.onEvent('redis-forgot', `Redis has lost ${forgotten} tasks that were given out: they go out again`)
    }
  }

  /** Repeats a slow task on an idle host, and gives up what hangs. Call it some times a second. */
  watch(): void {
    const { hosts, nowMs, stallSeconds } = this.#parts
    const now = nowMs()
    const slow = taskToRepeat(this.#outstanding.attempts, this.#durations, hosts.slots, now)
    if (slow !== undefined) {
      this.#repeated++
      this.#send(slow)
    }
    if (stallSeconds === 0 || this.size === 0) return
    const stallMs = 1000 * stallSeconds
    for (const attempt of Array.from(this.#outstanding.attempts)) {
      if (attempt.startedMs === undefined || now - attempt.startedMs <= stallMs || this.#ended.has(attempt.id)) continue
      this.#noteEnd(attempt.id, 'given up')
      this.#failed(attempt, attempt.host, this.#stalled(`task ${attempt.task.label} gave no answer`))
    }
    if (now - this.#progressMs <= stallMs) return
    const doing = hosts.workingCount === 0 ? 'no host takes a task' : `${this.size} tasks gave no answer`
    this.fail(this.#stalled(doing))
  }

  /** Tells how many tasks were repeated since it was called last. */
  tellRepeated(): void {
    if (this.#repeated === 0) return
    const message = `${this.#repeated} slow tasks ran once more, on hosts that had nothing else to do`
    this.#repeated = 0
    this.#parts.onEvent('task-repeated', message)
  }

  /** Ends every task, also those to come, with an error. The first one counts. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#parts.outputs.lift()
    this.#stopRetries()
    for (const { reject } of this.#waiting.values()) reject(this.#failure.error)
  }

  /** Waits for what runs beside the tasks. */
  async close(): Promise<void> {
    this.#parts.signal.removeEventListener('abort', this.#onAbort)
    this.#stopRetries()
    await this.#background.end()
  }

  async #accept(waiting: Waiting, attempt: Attempt, done: TaskDone): Promise<void> {
    if (this.#outstanding.find(attempt.id) !== attempt) {
      this.#countLost(done.host)
      this.#drop(done)
      return
    }
    const { hosts, nowMs } = this.#parts
    const accepted = await waiting.accept(done)
    const now = nowMs()
    this.#progressMs = now
    if (accepted.kind === 'result') {
      const { busyMs, tileMs, figures } = accepted.outcome
      this.#durations.add(attempt.task.name, attempt.startedMs === undefined ? busyMs : now - attempt.startedMs)
      this.#busyMs += busyMs
      this.#tileMs += tileMs
      this.#sick.delete(done.host)
      hosts.used(done.host, { busyMs, rssBytes: figures.rssBytes }, now)
      this.#outstanding.end(attempt.id, false)
      this.#background.run(this.#parts.queue.remove(attempt.id))
    } else if (accepted.kind === 'final') {
      this.#countLost(done.host)
      this.fail(accepted.error)
    } else this.#failed(attempt, done.host, accepted.error)
  }

  #failed(attempt: Attempt, host: string | undefined, error: Error): void {
    const { task, id } = attempt
    this.#outstanding.end(id, true, host)
    this.#background.run(this.#parts.queue.remove(id))
    if (host !== undefined) {
      this.#countLost(host)
      this.#sick.add(host)
    }
    this.#progressMs = this.#parts.nowMs()
    const where = `on host ${host ?? '(unknown)'}`
    const { failures } = task
    if (this.#isHopeless(task)) {
      this.fail(lastError(task, where, error))
      return
    }
    this.#parts.onEvent('task-retried', `task ${task.label} failed ${where} (${error.message}) and goes out again`)
    if (task.attempts.length > 0) return
    const timer = setTimeout(
      () => {
        this.#retries.delete(timer)
        this.#send(task)
      },
      Math.min((this.#parts.retryMs ?? RETRY_MS) * failures, MOST_RETRY_MS),
    )
    this.#retries.add(timer)
  }

  #isHopeless({ failures, failedOn }: OutstandingTask): boolean {
    if (failures < MOST_FAILURES) return false
    // On a full disk two hosts may each take the same task again and again: no host is then left that does any.
    const unfit = new Set([...failedOn, ...this.#sick])
    const isFailedEverywhere = failedOn.size >= MOST_FAILURES || !this.#parts.hosts.hasOtherThan(unfit)
    return isFailedEverywhere || failedOn.size === 0 || failures >= LAST_FAILURE
  }

  /** Its host is dead, which is no fault of the task. */
  #giveElsewhere(attempt: Attempt, host: string): void {
    this.#noteEnd(attempt.id, 'given up')
    this.#outstanding.end(attempt.id, false)
    this.#background.run(this.#parts.queue.remove(attempt.id))
    this.#countLost(host)
    if (attempt.task.attempts.length === 0) this.#send(attempt.task)
  }

  /** The result of a task that has one, or that is given up. */
  #drop(done: TaskDone): void {
    this.#background.run(this.#parts.queue.remove(done.id))
    this.#background.run(this.#parts.files.discard(done))
  }

  #send(task: OutstandingTask): void {
    const attempt = this.#outstanding.give(task)
    if (attempt !== undefined) this.#add(attempt)
  }

  #add({ id, task }: Attempt): void {
    const waiting = this.#waiting.get(task.number)
    if (waiting === undefined) return
    this.#adding.add(id)
    // What is not in the queue afterwards is found missing by check(), and goes in again.
    this.#background.run(this.#parts.queue.add({ ...waiting.job, id }).finally(() => this.#adding.delete(id)))
  }

  #stopRetries(): void {
    for (const timer of this.#retries) clearTimeout(timer)
    this.#retries.clear()
  }

  #countLost(host: string): void {
    this.#parts.hosts.lost(host, this.#parts.nowMs())
  }

  #noteEnd(id: string, how: 'told' | 'given up'): void {
    this.#ended.set(id, how)
    if (this.#ended.size <= REMEMBERED_ENDS) return
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest)
      return
    }
  }

  async #roomFor(outputBytes: number | undefined): Promise<OutputRoom> {
    return outputBytes === undefined ? NO_ROOM : this.#parts.outputs.room()
  }

  #stalled(doing: string): StalledError {
    const { stageName, stallSeconds } = this.#parts
    return new StalledError({ stage: stageName(), doing, stallSeconds, rssBytes: process.memoryUsage.rss() })
  }

  #throwIfFailed(): void {
    if (this.#parts.signal.aborted) throw abortError(this.#parts.signal)
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** What a task fails with: a typed error keeps its class and says where it was. */
function lastError({ label, failures }: OutstandingTask, where: string, error: Error): Error {
  const times = `${failures === MOST_FAILURES ? 'three' : failures} times`
  // A host whose disk is too full for the outcome says so as text.
  const [, path, needed, free] = DISK_FULL.exec(error.message) ?? []
  if (path !== undefined && !(error instanceof ShardloomError)) {
    return new DiskFullError({ path, neededBytes: Number(needed), freeBytes: Number(free) }, error)
  }
  if (!(error instanceof ShardloomError)) return new WorkerFailedError(label, error, `${times}, the last time ${where}`)
  error.message = `${error.message} (task ${label}, ${times}; the last time ${where})`
  return error
}
