import type { Batch } from './batch.js'
import { Fifo } from './fifo.js'
import type { SpillFiles, StoredFrame } from './files/spill-file.js'
import type { SpillBudget } from './spill-budget.js'

/** A batch in memory and what the budget charges for it. */
export interface HeldBatch<H> {
  readonly batch: Batch<H>
  readonly chargedBytes: number
}

/**
 * One vectored write: long enough to be sequential, short enough that memory comes back while a large spill goes on.
 */
const RUN_BYTES = 4 * 2 ** 20
const RUN_BATCHES = 256

/** The part of a queue that is not on disk: the newest batches in memory, and before them those being written. */
export class HeldBatches<H> {
  readonly #budget: SpillBudget
  readonly #files: SpillFiles
  readonly #written: (held: HeldBatch<H>, frame: StoredFrame) => void
  readonly #writing = new Fifo<HeldBatch<H>>()
  readonly #memory = new Fifo<HeldBatch<H>>()
  #spillableBytes = 0
  #draining = false
  #stopped = false

  /** `written` takes over each batch that is on disk now, in order, and settles its charge. */
  constructor(budget: SpillBudget, files: SpillFiles, written: (held: HeldBatch<H>, frame: StoredFrame) => void) {
    this.#budget = budget
    this.#files = files
    this.#written = written
  }

  get spillableBytes(): number {
    return this.#spillableBytes
  }

  get isWriting(): boolean {
    return this.#writing.length > 0
  }

  get length(): { readonly batches: number; readonly vectors: number; readonly bytes: number } {
    let [vectors, bytes] = [0, 0]
    for (const part of [this.#writing, this.#memory]) {
      for (const { batch } of part) {
        vectors += batch.count
        bytes += batch.bytes.byteLength
      }
    }
    return { batches: this.#writing.length + this.#memory.length, vectors, bytes }
  }

  push(held: HeldBatch<H>): void {
    this.#memory.push(held)
    this.#spillableBytes += held.chargedBytes
  }

  /** The oldest batch that is not being written. */
  shift(): HeldBatch<H> | undefined {
    const held = this.#memory.shift()
    if (held !== undefined) this.#spillableBytes -= held.chargedBytes
    return held
  }

  /** All batches that are not being written. */
  takeAll(): HeldBatch<H>[] {
    const all = [...this.#memory]
    this.#memory.clear()
    this.#spillableBytes = 0
    return all
  }

  /** Starts writing the oldest batches, at least `bytes` of them if there are as many. */
  startSpill(bytes: number): void {
    let movedBytes = 0
    while (movedBytes < bytes) {
      const held = this.#memory.shift()
      if (held === undefined) break
      this.#writing.push(held)
      movedBytes += held.chargedBytes
    }
    this.#spillableBytes -= movedBytes
    this.#budget.startedWriting(movedBytes)
    if (this.#writing.length > 0 && !this.#draining) {
      this.#draining = true
      void this.#drain()
    }
  }

  /** Resolves when nothing is being written; rejects when the budget has failed. */
  async written(): Promise<void> {
    while (this.#writing.length > 0 && !this.#stopped) {
      this.#budget.throwIfFailed()
      await this.#budget.changed()
    }
    this.#budget.throwIfFailed()
  }

  /** Gives up all batches after the write under way. */
  async dispose(): Promise<void> {
    this.#stopped = true
    this.#budget.notify()
    while (this.#draining) await this.#budget.changed()
    for (const { batch, chargedBytes } of this.takeAll()) {
      this.#budget.refund(chargedBytes)
      this.#budget.pool.release(batch.bytes)
    }
    for (const { batch, chargedBytes } of this.#writing) {
      this.#budget.finishedWriting(chargedBytes, 0)
      this.#budget.pool.release(batch.bytes)
    }
    this.#writing.clear()
  }

  /** Writes until nothing is left to write. Never rejects: nothing awaits it, so an error becomes the budget's. */
  async #drain(): Promise<void> {
    try {
      while (this.#writing.length > 0 && !this.#stopped) await this.#budget.write(() => this.#writeRun())
    } catch (error) {
      this.#budget.fail(error)
    }
    this.#draining = false
    this.#budget.notify()
  }

  async #writeRun(): Promise<void> {
    const run: HeldBatch<H>[] = []
    let bytes = 0
    for (const held of this.#writing) {
      if (run.length > 0 && (bytes + held.batch.bytes.byteLength > RUN_BYTES || run.length === RUN_BATCHES)) break
      run.push(held)
      bytes += held.batch.bytes.byteLength
    }
    const frames = await this.#files.append(run.map(({ batch }) => batch))
    for (const [index, held] of run.entries()) {
      this.#writing.shift()
      this.#written(held, frames[index])
    }
  }
}
