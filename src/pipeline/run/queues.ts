import { BufferPool } from '../../../spill/buffer-pool.js'
import { DiskBackedQueue } from '../../../spill/disk-backed-queue.js'
import { DurableQueue } from '../../../spill/durable-queue.js'
import type { Queue, QueueOptions } from '../../../spill/queue.js'
import type { RecoveredFile } from '../../../spill/files/recover-spill-file.js'
import { SpillBudget } from '../../../spill/spill-budget.js'

/** The queues of one build: they share a budget and a pool of buffers, and end with the build. */
export class Queues {
  readonly buffers = new BufferPool()
  readonly budget: SpillBudget
  /** Size of a queue batch. One for all queues, so that a freed buffer serves the next batch of any of them. */
  batchBytes: number
  readonly #directory: string
  readonly #isResumable: boolean
  readonly #handsOffFiles: boolean
  readonly #open = new Set<Pick<Queue, 'dispose'>>()

  constructor(options: {
    readonly directory: string
    readonly limitBytes: number
    readonly batchBytes: number
    readonly isResumable: boolean
    /** Tasks on other hosts read what is handed off. */
    readonly handsOffFiles: boolean
  }) {
    this.#directory = options.directory
    this.#isResumable = options.isResumable
    this.#handsOffFiles = options.handsOffFiles
    this.batchBytes = options.batchBytes
    this.budget = new SpillBudget({ limitBytes: options.limitBytes, pool: this.buffers })
  }

  open<Header>(name: string): Queue<Header> {
    const queue = new DiskBackedQueue<Header>({ name, ...this.#options })
    this.#open.add(queue)
    return queue
  }

  /**
   * A queue that the next build can resume from; undefined when this build cannot be resumed. `recovered`: the files of
   * an earlier build.
   */
  openDurable<Header>(name: string, recovered: readonly RecoveredFile[] = []): DurableQueue<Header> | undefined {
    if (!this.#isResumable) return undefined
    const queue = new DurableQueue<Header>({ name, ...this.#options, recovered })
    this.#open.add(queue)
    return queue
  }

  async dispose<Header>(queue: Queue<Header>): Promise<void> {
    await queue.dispose()
    this.#open.delete(queue)
  }

  /** Disposes every queue, even after one fails; then throws the first failure. */
  async disposeAll(): Promise<void> {
    const ended = await Promise.allSettled(Array.from(this.#open, (queue) => queue.dispose()))
    for (const each of ended) if (each.status === 'rejected') throw each.reason
  }

  /** Writes everything to disk and releases all buffers: a single batch in memory would keep its whole slab there. */
  async release(): Promise<void> {
    await this.budget.spill()
    this.buffers.clear()
  }

  get #options(): Omit<QueueOptions, 'name'> {
    return { directory: this.#directory, budget: this.budget, handsOffFiles: this.#handsOffFiles }
  }
}
