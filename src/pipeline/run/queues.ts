import { BufferPool } from '../../../spill/buffer-pool.js'
import { DiskBackedQueue } from '../../../spill/disk-backed-queue.js'
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
  readonly #open = new Set<DiskBackedQueue<unknown>>()

  constructor(options: { directory: string; limitBytes: number; batchBytes: number; isResumable: boolean }) {
    this.#directory = options.directory
    this.#isResumable = options.isResumable
    this.batchBytes = options.batchBytes
    this.budget = new SpillBudget({ limitBytes: options.limitBytes, pool: this.buffers })
  }

  open<Header>(name: string): DiskBackedQueue<Header> {
    return this.#add(new DiskBackedQueue<Header>({ name, directory: this.#directory, budget: this.budget }))
  }

  /** A queue that the next build can go on from, if this one can be resumed; `recovered`: what an earlier build left. */
  openDurable<Header>(name: string, recovered: readonly RecoveredFile[] = []): DiskBackedQueue<Header> {
    if (!this.#isResumable) return this.open(name)
    return this.#add(
      new DiskBackedQueue<Header>({
        name,
        directory: this.#directory,
        budget: this.budget,
        durable: true,
        recovered,
      }),
    )
  }

  async dispose<Header>(queue: DiskBackedQueue<Header>): Promise<void> {
    await queue.dispose()
    this.#open.delete(queue)
  }

  /** Every queue, also after one that fails; then throws the first failure. */
  async disposeAll(): Promise<void> {
    const ended = await Promise.allSettled(Array.from(this.#open, (queue) => queue.dispose()))
    for (const each of ended) if (each.status === 'rejected') throw each.reason
  }

  /** Writes everything to disk and lets go of all buffers: one batch in memory would keep its whole slab there. */
  async release(): Promise<void> {
    await this.budget.spill()
    this.buffers.clear()
  }

  #add<Header>(queue: DiskBackedQueue<Header>): DiskBackedQueue<Header> {
    this.#open.add(queue)
    return queue
  }
}
