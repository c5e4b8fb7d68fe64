import { setMaxListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import PQueue from 'p-queue'
import { Piscina } from 'piscina'
import { Signal } from '../../spill/signal.js'
import { ShardloomError, WorkerFailedError } from '../errors.js'
import { internStrings } from '../interned.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { abortError } from './abort-error.js'
import { reviveError, type TaskOutcome } from './task-outcome.js'
import type { TaskName, TaskRequest, Tasks } from './tasks.js'

export interface WorkerPoolOptions {
  readonly threads: number
  /** Size of an output buffer that serves nearly every task. */
  readonly outputBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Told of every task that is run again, before it is. */
  readonly onRetry?: (task: string, cause: unknown) => void
  /**
   * A task that runs, or waits for a thread, for so long is taken to hang: its thread is replaced and it runs once more;
   * then `error`. 0 waits for ever.
   */
  readonly stall?: { readonly seconds: number; readonly error: (task: string) => ShardloomError }
  /** Told of what goes wrong in a worker outside any task. */
  readonly onWorkerError?: (error: unknown) => void
  /** The entry point of its threads, for tests that have their own. */
  readonly entryUrl?: URL
}

/** A task was given up. Its thread may hang, or only be slow. */
class NoAnswer extends Error {
  constructor(seconds: number) {
    super(`no answer for ${seconds} s`)
  }
}

/** How often it is looked whether any thread is left. */
const WATCH_MS = 200

/**
 * Heap limits of a worker, MB. They cap only the JavaScript heap (vectors live in ArrayBuffers and WebAssembly
 * memory, which the plan sums itself); the small young generation keeps RSS down.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 6 }

/**
 * A Piscina pool whose tasks survive the death of their worker: a task that fails for any reason that is not one of
 * our own typed errors runs once more, on a fresh thread when the old one died; then WorkerFailedError.
 * Tasks must be repeatable: they read their inputs without consuming them and write to places of their own.
 */
export class WorkerPool {
  /** Of all pools that are given no other. */
  static entryUrl = new URL('../../workers/worker.js', import.meta.url)

  readonly threads: number
  #piscina: Piscina
  readonly #filename: string
  readonly #signal: AbortSignal | undefined
  readonly #onRetry: (task: string, cause: unknown) => void
  readonly #onWorkerError: (error: unknown) => void
  readonly #stall: WorkerPoolOptions['stall']
  readonly #changed = new Signal()
  /** As many as tasks run at once and two, used again and again. */
  readonly #outputs = new BufferPool()
  readonly #outputBytes: number
  #paused = false
  #running = 0
  #busyMs = 0
  #tileMs = 0
  #watch: NodeJS.Timeout | undefined

  constructor(options: WorkerPoolOptions) {
    this.threads = options.threads
    this.#outputBytes = options.outputBytes ?? 0
    this.#signal = options.signal
    this.#stall = options.stall
    this.#onRetry = options.onRetry ?? (() => undefined)
    this.#onWorkerError = options.onWorkerError ?? (() => undefined)
    this.#filename = fileURLToPath(options.entryUrl ?? WorkerPool.entryUrl)
    this.#piscina = this.#startThreads()
    // Every running task listens for the caller's abort.
    if (options.signal !== undefined) setMaxListeners(options.threads * 2 + 16, options.signal)
  }

  /** Runs one task. `label` names it in errors and events. */
  async run<Name extends TaskName>(
    name: Name,
    task: Tasks[Name]['task'],
    label: string,
  ): Promise<Tasks[Name]['result']> {
    try {
      return await this.#attempt({ name, task })
    } catch (error) {
      if (error instanceof ShardloomError) throw error
      this.#throwIfAborted()
      this.#onRetry(label, error)
    }
    try {
      return await this.#attempt({ name, task })
    } catch (error) {
      if (error instanceof ShardloomError) throw error
      this.#throwIfAborted()
      if (error instanceof NoAnswer && this.#stall !== undefined) throw this.#stall.error(label)
      throw new WorkerFailedError(label, error)
    }
  }

  /** A buffer in shared memory for the output of one task. Give it back with `releaseOutput`. */
  acquireOutput(bytes: number): Uint8Array {
    return this.#outputs.acquire(Math.max(bytes, this.#outputBytes))
  }

  releaseOutput(output: Uint8Array): void {
    this.#outputs.release(output)
  }

  /** While paused no task starts beside a running one: memory is short. One at a time always goes on. */
  pause(paused: boolean): void {
    this.#paused = paused
    this.#changed.notify()
  }

  /**
   * Runs a task for every item and hands each result to `onResult` before another task takes its place, so that results
   * never pile up. One task more than there are threads is under way: no thread waits while a result is handled. The
   * first failure ends it, after the tasks already running have stopped.
   */
  async runAll<Item, Result>(
    items: Iterable<Item> | AsyncIterable<Item>,
    runOne: (item: Item) => Promise<Result>,
    onResult: (result: Result, item: Item) => Promise<void> | void,
  ): Promise<void> {
    const queue = new PQueue({ concurrency: this.threads + 1 })
    const failures: unknown[] = []
    for await (const item of items) {
      if (failures.length > 0) break
      if (this.#aborted()) {
        failures.push(abortError(this.#signal))
        break
      }
      // Errors are collected here, so the promise that add() returns always fulfils.
      void queue.add(async () => {
        if (failures.length > 0) return
        try {
          await onResult(await runOne(item), item)
        } catch (error) {
          failures.push(error)
        }
      })
      await queue.onSizeLessThan(1)
    }
    await queue.onIdle()
    if (failures.length > 0) throw failures[0]
  }

  /** Time of all tasks that ended well, and the part of it that went to the distance tile. */
  get work(): { readonly busySeconds: number; readonly tileSeconds: number } {
    return { busySeconds: this.#busyMs / 1000, tileSeconds: this.#tileMs / 1000 }
  }

  /** The worker threads, for tests that kill one. */
  get workers(): Piscina['threads'] {
    return this.#piscina.threads
  }

  async close(): Promise<void> {
    this.#stopWatching()
    await this.#piscina.destroy()
  }

  /** Fresh threads and no buffers: memory that WebAssembly grew never shrinks, it goes with its thread. */
  async renew(): Promise<void> {
    this.#outputs.clear()
    await this.#piscina.destroy()
    this.#piscina = this.#startThreads()
  }

  async #attempt<Name extends TaskName>(request: TaskRequest<Name>): Promise<Tasks[Name]['result']> {
    while (this.#paused && this.#running > 0) await this.#changed.next()
    this.#throwIfAborted()
    this.#running++
    this.#watch ??= setInterval(() => this.#replaceDeadPool(), WATCH_MS)
    const stop = new AbortController()
    const onAbort = (): void => stop.abort()
    this.#signal?.addEventListener('abort', onAbort, { once: true })
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
      const running = this.#piscina.run(request, { filename: this.#filename, signal: stop.signal })
      const outcome = (await running) as TaskOutcome<Tasks[Name]['result']>
      if (outcome.ok) {
        this.#busyMs += outcome.busyMs
        this.#tileMs += outcome.tileMs
        return internStrings(outcome.value)
      }
      throw reviveError(outcome.error)
    } catch (error) {
      throw noAnswer ?? error
    } finally {
      clearTimeout(timer)
      this.#signal?.removeEventListener('abort', onAbort)
      this.#running--
      this.#changed.notify()
      if (this.#running === 0) this.#stopWatching()
    }
  }

  #stopWatching(): void {
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  /**
   * Piscina starts no more threads once one died before it was ready, and tasks then wait for ever. Destroying it fails
   * them, so that they run again on fresh threads, or end the build.
   */
  #replaceDeadPool(): void {
    if (this.#piscina.threads.length > 0) return
    const dead = this.#piscina
    this.#piscina = this.#startThreads()
    dead.destroy().catch((error: unknown) => this.#onWorkerError(error))
  }

  #startThreads(): Piscina {
    const piscina = new Piscina({
      minThreads: this.threads,
      maxThreads: this.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: RESOURCE_LIMITS,
      recordTiming: false,
    })
    // Without a listener an error event would end the caller's process.
    piscina.on('error', (error) => this.#onWorkerError(error))
    return piscina
  }

  #aborted(): boolean {
    return this.#signal?.aborted === true
  }

  #throwIfAborted(): void {
    if (this.#aborted()) throw abortError(this.#signal)
  }
}
