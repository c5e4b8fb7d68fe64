/** Worker threads that answer or fail: no job waits for a thread that does not come. */
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'

export interface ThreadPoolOptions {
  /** What its threads load, and the name of the function there. */
  readonly entry: URL
  readonly name: string
  readonly minThreads: number
  readonly maxThreads: number
  /** A thread without work ends after this long; Infinity for never. */
  readonly idleMs: number
}

/**
 * Piscina starts no more threads after one died before it was ready, and jobs then wait for ever. Here every job fails
 * when one of the threads does, and the next job gets new threads.
 */
export class ThreadPool {
  readonly #options: ThreadPoolOptions
  #threads: Threads
  #closed = false

  /** Starts `minThreads`. */
  constructor(options: ThreadPoolOptions) {
    this.#options = options
    this.#threads = new Threads(options)
  }

  /** Runs one job. When it rejects, the threads have ended, with all their jobs. */
  async run(job: unknown): Promise<unknown> {
    if (this.#closed) throw new Error('the threads are closed')
    if (this.#threads.hasFailed) this.#threads = new Threads(this.#options)
    return this.#threads.run(job)
  }

  /** Ends the threads, with their jobs. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#threads.end()
  }
}

/** Threads until the first of them fails. */
class Threads {
  readonly #piscina: Piscina
  /** Ends the wait of each job that runs. */
  readonly #waiting = new Set<(reason: unknown) => void>()
  #failure: { readonly reason: unknown } | undefined

  constructor({ entry, name, minThreads, maxThreads, idleMs }: ThreadPoolOptions) {
    const filename = fileURLToPath(entry)
    this.#piscina = new Piscina({ filename, name, minThreads, maxThreads, idleTimeout: idleMs, recordTiming: false })
    // A thread that fails without a job says so by an event, which would end the process if nobody listened.
    this.#piscina.on('error', (error) => this.#tell(error))
    this.#piscina.on('workerDestroy', () => {
      // A thread that ends itself while it starts is gone without an error. What has an error is told before.
      setImmediate(() => {
        if (this.#piscina.threads.length === 0) this.#tell(new Error('the thread ended before it took a job'))
      })
    })
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  async run(job: unknown): Promise<unknown> {
    let stopWaiting: (reason: unknown) => void = () => undefined
    const died = new Promise<never>((_, reject) => {
      stopWaiting = reject
    })
    this.#waiting.add(stopWaiting)
    try {
      const running: Promise<unknown> = this.#piscina.run(job)
      return await Promise.race([running, died])
    } catch (reason) {
      // The jobs that end with the threads fail for the reason of the first.
      this.#failure ??= { reason }
      await this.end()
      throw this.#failure.reason
    } finally {
      this.#waiting.delete(stopWaiting)
    }
  }

  async end(): Promise<void> {
    await this.#piscina.destroy()
  }

  #tell(reason: unknown): void {
    for (const stopWaiting of this.#waiting) stopWaiting(reason)
  }
}
