import type { RecoveredFile } from './files/recover-spill-file.js'
import type { HeldBatch } from './held-batches.js'
import type { QueueOptions } from './queue.js'
import { SpillingQueue } from './spilling-queue.js'

export interface DurableQueueOptions extends QueueOptions {
  /** Files that a durable queue of this name left in an earlier process: they hold the oldest batches of this one. */
  readonly recovered?: readonly RecoveredFile[]
}

/**
 * A queue whose files hold every batch that was ever pushed, for a later process to go on from. Files are kept, even by
 * dispose().
 *
 * It writes each batch in the background and keeps a copy in memory while there is room: a batch that is taken soon is
 * not read again, and making room costs no second write.
 */
export class DurableQueue<H = unknown> extends SpillingQueue<H> {
  #pushedBatches: number
  #storedBatches: number

  constructor({ recovered = [], ...options }: DurableQueueOptions) {
    super(options, true)
    for (const file of recovered) this.disk.adopt(file)
    this.#pushedBatches = this.#storedBatches = this.disk.length.batches
  }

  /** Batches pushed (and held) so far, including the batches of an earlier process. */
  get pushedBatches(): number {
    return this.#pushedBatches
  }

  /** Resolves when the first `batches` of all batches ever pushed are in the files. */
  async stored(batches: number): Promise<void> {
    while (this.#storedBatches < batches) {
      this.throwIfUnusable('wait')
      await this.budget.changed()
    }
  }

  /** Paths of the files written to since the last call: the files to sync. */
  takeUnsyncedFiles(): string[] {
    return this.spillFiles.takeUnsynced()
  }

  protected override afterPush(): void {
    this.#pushedBatches += 1
    this.memory.startSpill(Infinity)
  }

  protected override keepsCopy({ chargedBytes }: HeldBatch<H>, frameBytes: number): boolean {
    this.#storedBatches += 1
    return this.budget.finishedCopying(chargedBytes, frameBytes)
  }

  protected override beforeHandOff(): void {
    // Tasks take the copies as they are.
  }

  protected override afterDispose(): Promise<void> {
    return Promise.resolve()
  }
}
