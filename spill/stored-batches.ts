import type { Batch, BatchRef } from './batch.js'
import { Fifo } from './fifo.js'
import type { RecoveredFile } from './files/recover-spill-file.js'
import type { SpillFiles, StoredFrame } from './files/spill-file.js'
import type { HeldBatch } from './held-batches.js'
import type { SpillBudget } from './spill-budget.js'

/** A batch on disk. */
export interface StoredBatch<H> extends StoredFrame {
  /** The batch in memory too: read together with the frames before it, or kept when it was written. */
  copy: Batch<H> | undefined
  /** What the budget charges for `copy`. */
  copyBytes: number
}

/** One read of frames that follow each other, when the budget has the room. */
const READ_BYTES = 4 * 2 ** 20

/** The part of a queue that is on disk: its oldest batches. Some of them are in memory too, and charged. */
export class StoredBatches<H> {
  readonly #budget: SpillBudget
  readonly #files: SpillFiles
  readonly #batches = new Fifo<StoredBatch<H>>()
  /** Batches in #batches that have a copy in memory. */
  #copies = 0

  constructor(budget: SpillBudget, files: SpillFiles) {
    this.#budget = budget
    this.#files = files
  }

  get length(): { readonly batches: number; readonly vectors: number; readonly bytes: number } {
    let [vectors, bytes] = [0, 0]
    for (const { count, frameBytes } of this.#batches) {
      vectors += count
      bytes += frameBytes
    }
    return { batches: this.#batches.length, vectors, bytes }
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Adds the batches of a file that an earlier process wrote. */
  adopt(file: RecoveredFile): void {
    for (const frame of this.#files.adopt(file)) this.push(frame)
  }

  /** `copy`, when given, stays in memory and stays charged. */
  push(frame: StoredFrame, copy?: HeldBatch<H>): void {
    const { file, offset, frameBytes, leadBytes, payloadBytes, count } = frame
    if (copy !== undefined) this.#countCopies(1)
    // Field by field: a spread gives each object a separate shape, 300 bytes beside its 100, and queues hold many.
    this.#batches.push({
      file,
      offset,
      frameBytes,
      leadBytes,
      payloadBytes,
      count,
      copy: copy?.batch,
      copyBytes: copy?.chargedBytes ?? 0,
    })
  }

  /** Takes the oldest batch; undefined when there is none. Its copy is refunded: it is the caller's now. */
  async shift(): Promise<Batch<H> | undefined> {
    const first = this.#batches.at(0)
    if (first === undefined) return undefined
    const batch = first.copy ?? (await this.#readFrom(first))
    if (first.copy !== undefined) {
      this.#budget.refund(first.copyBytes)
      first.copy = undefined
      this.#countCopies(-1)
    }
    this.#batches.shift()
    await this.#files.consume(first.file)
    return batch
  }

  /** All batches, each with the ref that a task reads it by. Copies stay charged. */
  takeAll(): (readonly [BatchRef<H>, StoredBatch<H>])[] {
    const all = Array.from(this.#batches, (stored) => [refTo(stored), stored] as const)
    this.#batches.clear()
    this.#countCopies(-this.#copies)
    return all
  }

  /** Gives back copies, oldest first, until at least `bytes` are refunded or no copy is left. */
  dropCopies(bytes: number): void {
    let droppedBytes = 0
    for (const stored of this.#batches) {
      if (droppedBytes >= bytes || this.#copies === 0) return
      if (stored.copy === undefined) continue
      droppedBytes += stored.copyBytes
      this.#countCopies(-1)
      this.dropCopy(stored)
    }
  }

  /** Gives back the copy of a batch that was taken, if it has one. */
  dropCopy(stored: StoredBatch<H>): void {
    if (stored.copy === undefined) return
    this.#budget.pool.release(stored.copy.bytes)
    stored.copy = undefined
    this.#budget.refund(stored.copyBytes)
  }

  dispose(): void {
    this.dropCopies(Infinity)
    this.#batches.clear()
  }

  /** The budget knows whether any queue has copies to drop. */
  #countCopies(by: number): void {
    this.#copies += by
    this.#budget.countCopies(by)
  }

  /** Reads the first frame, and with it the frames after it for which the budget has room now. */
  async #readFrom(first: StoredBatch<H>): Promise<Batch<H>> {
    const run = [first]
    let bytes = first.frameBytes
    for (let index = 1; index < this.#batches.length; index++) {
      const last = run[index - 1]
      const next = this.#batches.at(index)
      if (next === undefined || next.copy !== undefined || !adjoins(last, next)) break
      if (bytes + next.frameBytes > READ_BYTES || !this.#budget.tryCharge(next.frameBytes)) break
      run.push(next)
      bytes += next.frameBytes
    }
    try {
      const batches = await this.#files.read<H>(run, this.#budget.pool)
      for (let index = 1; index < run.length; index++) {
        run[index].copy = batches[index]
        run[index].copyBytes = run[index].frameBytes
      }
      this.#countCopies(run.length - 1)
      return batches[0]
    } catch (error) {
      this.#budget.refund(bytes - first.frameBytes)
      throw error
    }
  }
}

function adjoins(last: StoredFrame, next: StoredFrame): boolean {
  return next.file === last.file && next.offset === last.offset + last.frameBytes
}

function refTo<H>({ copy, file, offset, frameBytes, count }: StoredBatch<H>): BatchRef<H> {
  return copy === undefined
    ? { kind: 'file', path: file.path, offset, frameBytes, count }
    : { kind: 'memory', batch: copy }
}
