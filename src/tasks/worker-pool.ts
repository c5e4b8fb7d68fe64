import { setMaxListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { tileName } from '../../kernel/wide-tile.js'
import { Signal } from '../../spill/signal.js'
import { ShardloomError, WorkerFailedError } from '../errors.js'
import { internStrings } from '../runtime/interned.js'
import { ownFile } from '../own-files.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { abortError } from './abort-error.js'
import { OwnThread } from './own-thread.js'
import { runAll, type Filled, type OutputTaskName, type TaskRunner, type WithoutOutput } from './task-runner.js'
import { reviveError, type TaskOutcome } from './task-outcome.js'
import type { TaskName, TaskRequest, Tasks } from './tasks.js'

export interface WorkerPoolOptions {
  readonly threads: number
  /** Size of an output buffer that serves nearly every task. */
  readonly outputBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Called before a task is run again. */
  readonly onRetry?: (task: string, cause: unknown) => void
  /**
   * A task that runs, or waits for a thread, for this long counts as hung. Its thread is replaced and the task runs
   * once more. If it hangs again, it fails with `error`. 0 waits forever.
   */
  readonly stall?: { readonly seconds: number; readonly error: (task: string) => ShardloomError }
  /** Called for errors in a worker outside any task. */
  readonly onWorkerError?: (error: unknown) => void
  /** A thread starts when a task has none, not at once: for a pool that may never need all. */
  readonly startsAsNeeded?: boolean
  /** Tasks run on the calling thread: for builds that are smaller than the start of a thread. */
  readonly inOwnThread?: boolean
  /** The entry point of its threads, for tests that have their own. */
  readonly entryUrl?: URL
}

/** A result, and the time of the thread that made it; the part of it spent in the distance tile. */
export interface TimedResult<Name extends TaskName> {
  readonly value: Tasks[Name]['result']
  readonly busyMs: number
  readonly tileMs: number
}

/** A task was given up. Its thread may hang, or only be slow. */
class NoAnswer extends Error {
  constructor(seconds: number) {
    super(`no answer for ${seconds} s`)
  }
}

/** Interval of the check that any thread is left. */
const WATCH_MS = 200

/**
 * Heap limits of a worker, MB. They cap only the JavaScript heap (vectors live in ArrayBuffers and WebAssembly
 * memory, which the plan sums itself); the small young generation keeps RSS down.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 6 }

/**
 * A Piscina pool whose tasks survive the death of their worker. A task that fails for any reason other than a typed
 * error runs once more, on a new thread when the old one died. If it fails again, the error is WorkerFailedError. Tasks
 * must be repeatable: they read their inputs without consuming them, and each writes only to its own place.
 */
export class WorkerPool implements TaskRunner {
  /** The entry point of all pools that are given no other. */
  static entryUrl = ownFile('workers/entry.cjs')

  readonly threads: number
  /** Undefined when tasks run on the calling thread. */
  #piscina: Piscina | undefined
  readonly #own: OwnThread | undefined
  readonly #filename: string
  readonly #signal: AbortSignal | undefined
  readonly #onRetry: (task: string, cause: unknown) => void
  readonly #onWorkerError: (error: unknown) => void
  readonly #stall: WorkerPoolOptions['stall']
  readonly #changed = new Signal()
  /** Output buffers for reuse: two more than tasks run at once. */
  readonly #outputs = new BufferPool()
  readonly #outputBytes: number
  readonly #leastThreads: number
  #paused = false
  #running = 0
  #busyMs = 0
  #tileMs = 0
  #watch: NodeJS.Timeout | undefined

  constructor(options: WorkerPoolOptions) {
    this.threads = options.threads
    this.#outputBytes = options.outputBytes ?? 0
    this.#leastThreads = options.startsAsNeeded === true ? 1 : options.threads
    this.#signal = options.signal
    this.#stall = options.stall
    this.#onRetry = options.onRetry ?? (() => undefined)
    this.#onWorkerError = options.onWorkerError ?? (() => undefined)
    this.#filename = fileURLToPath(options.entryUrl ?? WorkerPool.entryUrl)
    // Threads take the tile over when they start.
    tileName()
    if (options.inOwnThread === true) this.#own = new OwnThread()
    else this.#piscina = this.#startThreads()
    // Every running task listens for the caller's abort.
    if (options.signal !== undefined) setMaxListeners(options.threads * 2 + 16, options.signal)
  }

  async run<Name extends TaskName>(
    name: Name,
    task: Tasks[Name]['task'],
    label: string,
  ): Promise<Tasks[Name]['result']> {
    return (await this.runTimed(name, task, label)).value
  }

  /** As `run`, with the time of the thread. When `signal` fires the task is given up: its thread ends, another one starts. */
  async runTimed<Name extends TaskName>(
    name: Name,
    task: Tasks[Name]['task'],
    label: string,
    signal?: AbortSignal,
  ): Promise<TimedResult<Name>> {
    try {
      return await this.#attempt({ name, task }, signal)
    } catch (error) {
      if (error instanceof ShardloomError) throw error
      this.#throwIfAborted(signal)
      this.#onRetry(label, error)
    }
    try {
      return await this.#attempt({ name, task }, signal)
    } catch (error) {
      if (error instanceof ShardloomError) throw error
      this.#throwIfAborted(signal)
      if (error instanceof NoAnswer && this.#stall !== undefined) throw this.#stall.error(label)
      throw new WorkerFailedError(label, error)
    }
  }

  async runInto<Name extends OutputTaskName>(
    name: Name,
    task: WithoutOutput<Name>,
    bytes: number,
    label: string,
  ): Promise<Filled<Tasks[Name]['result']>> {
    const output = this.#outputs.acquire(Math.max(bytes, this.#outputBytes))
    const release = (): void => this.#outputs.release(output)
    try {
      const result = await this.run(name, { ...task, output } as unknown as Tasks[Name]['task'], label)
      return { result, output, release }
    } catch (error) {
      release()
      throw error
    }
  }

  get slots(): number {
    return this.threads
  }

  /** Threads read shared memory where it is. */
  share<Shared extends object>(value: Shared): Shared {
    return value
  }

  pause(paused: boolean): void {
    this.#paused = paused
    this.#changed.notify()
  }

  /** One task more than there are threads is in progress, so that no thread waits while a result is handled. */
  runAll<Item, Result>(
    items: Iterable<Item> | AsyncIterable<Item>,
    runOne: (item: Item) => Promise<Result>,
    onResult: (result: Result, item: Item) => Promise<void> | void,
  ): Promise<void> {
    return runAll({ atOnce: () => this.threads + 1, signal: this.#signal }, items, runOne, onResult)
  }

  get work(): { readonly busySeconds: number; readonly tileSeconds: number } {
    return { busySeconds: this.#busyMs / 1000, tileSeconds: this.#tileMs / 1000 }
  }

  /** The worker threads, for tests that kill one. */
  get workers(): Piscina['threads'] {
    return this.#piscina?.threads ?? []
  }

  async close(): Promise<void> {
    this.#stopWatching()
    await this.#own?.close()
    await this.#piscina?.destroy()
  }

  /**
   * Starts new threads and releases all output buffers. A WebAssembly memory never shrinks, and is freed only with its
   * thread.
   */
  async renew(): Promise<void> {
    this.#outputs.clear()
    await this.#own?.close()
    if (this.#piscina === undefined) return
    await this.#piscina.destroy()
    this.#piscina = this.#startThreads()
  }

  async #attempt<Name extends TaskName>(
    request: TaskRequest<Name>,
    given: AbortSignal | undefined,
  ): Promise<TimedResult<Name>> {
    while (this.#paused && this.#running > 0) await this.#changed.next()
    this.#throwIfAborted(given)
    this.#running++
    if (this.#piscina !== undefined) this.#watch ??= setInterval(() => this.#replaceDeadPool(), WATCH_MS)
    const stop = new AbortController()
    const onAbort = (): void => stop.abort()
    for (const signal of [this.#signal, given]) signal?.addEventListener('abort', onAbort, { once: true })
    const { seconds = 0 } = this.#stall ?? {}
    let noAnswer: NoAnswer | undefined
    const timer =
      seconds === 0
        ? undefined
        : setTimeout(() => {
            noAnswer = new NoAnswer(seconds)
            stop.abort()
          }, 1000 * seconds)
    try {
      const outcome = await this.#send(request, stop.signal)
      if (outcome.ok) {
        this.#busyMs += outcome.busyMs
        this.#tileMs += outcome.tileMs
        return { value: internStrings(outcome.value), busyMs: outcome.busyMs, tileMs: outcome.tileMs }
      }
      throw reviveError(outcome.error)
    } catch (error) {
      throw noAnswer ?? error
    } finally {
      clearTimeout(timer)
      for (const signal of [this.#signal, given]) signal?.removeEventListener('abort', onAbort)
      this.#running--
      this.#changed.notify()
      if (this.#running === 0) this.#stopWatching()
    }
  }

  async #send<Name extends TaskName>(
    request: TaskRequest<Name>,
    signal: AbortSignal,
  ): Promise<TaskOutcome<Tasks[Name]['result']>> {
    if (this.#own !== undefined) return this.#own.run(request)
    const running: Promise<unknown> | undefined = this.#piscina?.run(request, { filename: this.#filename, signal })
    return (await running) as TaskOutcome<Tasks[Name]['result']>
  }

  #stopWatching(): void {
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  /**
   * Piscina starts no more threads after one died before it was ready, and tasks then wait forever. Destroying the pool
   * fails these tasks, so that they run again on new threads, or end the build.
   */
  #replaceDeadPool(): void {
    const dead = this.#piscina
    if (dead === undefined || dead.threads.length > 0) return
    this.#piscina = this.#startThreads()
    dead.destroy().catch((error: unknown) => this.#onWorkerError(error))
  }

  #startThreads(): Piscina {
    const piscina = new Piscina({
      minThreads: this.#leastThreads,
      maxThreads: this.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: RESOURCE_LIMITS,
      recordTiming: false,
    })
    // Without a listener an error event would end the caller's process.
    piscina.on('error', (error) => this.#onWorkerError(error))
    return piscina
  }

  #throwIfAborted(given: AbortSignal | undefined): void {
    for (const signal of [this.#signal, given]) if (signal?.aborted === true) throw abortError(signal)
  }
}
