/**
 * A first-in first-out queue of batches that stays in memory while its budget has room, and moves to disk beyond that.
 *
 *     push ─► [ memory ] ──spill──► [ writing ] ──► [ disk ] ─► shift / handOff ─► release
 *              charged               charged         read ahead: charged
 *
 * A spill moves the oldest batches in memory, so batches leave in the order they came, and files hold them in that
 * order. While nothing is on disk, shift and handOff take from memory.
 */

import type { HeldBatch } from './held-batches.js'
import type { QueueOptions } from './queue.js'
import { SpillingQueue } from './spilling-queue.js'

/** Writes a batch only when the budget needs its room, and deletes its files. */
export class DiskBackedQueue<H = unknown> extends SpillingQueue<H> {
  constructor(options: QueueOptions) {
    super(options, false)
  }

  protected override afterPush(): void {
    // The batch stays in memory until the budget asks for a spill.
  }

  protected override keepsCopy({ chargedBytes }: HeldBatch<H>, frameBytes: number): boolean {
    this.budget.finishedWriting(chargedBytes, frameBytes)
    return false
  }

  /** Tasks read these frames from the files, so the memory of the copies is free for pushes. */
  protected override beforeHandOff(): void {
    this.disk.dropCopies(Infinity)
  }

  protected override afterDispose(): Promise<void> {
    return this.spillFiles.deleteAll()
  }
}
