/**
 * The memory that many queues share. It counts the bytes they hold and lets a push wait while there is no room. It
 * makes room by spilling the largest in-memory part, oldest batches first, until half of the limit is free: the disk
 * then writes long sequential runs while pushes go on.
 */

import PQueue from 'p-queue'
import { InvalidOptionError } from '../src/errors.js'
import type { BufferPool } from './buffer-pool.js'
import { Signal } from './signal.js'
import { nodeFileSystem, type SpillFileSystem } from './files/spill-file.js'
import { Turns } from './turns.js'

/** One queue as its budget sees it. */
export interface Spillable {
  /** Bytes in memory that are neither handed off nor being written. */
  readonly spillableBytes: number
  /** Starts writing the oldest batches, at least `bytes` of them if it has as many. Reports to startedWriting(). */
  startSpill(bytes: number): void
  /** Drops copies of batches that are on disk too, oldest first, until `bytes` are given back or none is left. */
  dropReadAhead(bytes: number): void
  /** Resolves when nothing of this queue is being written; rejects when the budget has failed. */
  written(): Promise<void>
}

export interface SpillBudgetOptions {
  /** Bytes of batches that all queues together may hold. 0 sends everything to disk; Infinity nothing. */
  readonly limitBytes: number
  /** Where buffers come from and go back to. Its free buffers do not count towards the limit. */
  readonly pool: BufferPool
  /** Runs written at the same time, each to a different queue's file. */
  readonly writeConcurrency?: number
  readonly fileSystem?: SpillFileSystem
}

/** A spill takes at least this much of a queue that has it: below it, opening the file costs more than writing. */
const SPILL_BYTES = 8 * 2 ** 20

/** A spill frees this share of the limit, so that pushes need not wait for each batch's write. */
const FREED_SHARE = 0.5

/**
 * While a spill is being written, the next one begins only above this share of the limit. A spill looks at all queues,
 * and each push would begin one for its own bytes.
 */
const AGAIN_SHARE = 0.75

export class SpillBudget {
  readonly pool: BufferPool
  readonly fileSystem: SpillFileSystem
  readonly #queues = new Set<Spillable>()
  readonly #writes: PQueue
  readonly #admissions = new Turns()
  readonly #changed = new Signal()
  #waiting = 0
  #limitBytes: number
  #memoryBytes = 0
  #peakMemoryBytes = 0
  #writingBytes = 0
  #copies = 0
  #spilledBytes = 0
  #copiedBytes = 0
  #failure: { readonly error: unknown } | undefined

  constructor({ limitBytes, pool, writeConcurrency = 2, fileSystem = nodeFileSystem }: SpillBudgetOptions) {
    this.pool = pool
    this.fileSystem = fileSystem
    this.#limitBytes = checkedLimit(limitBytes)
    this.#writes = new PQueue({ concurrency: writeConcurrency })
  }

  get limitBytes(): number {
    return this.#limitBytes
  }

  /** A lower limit starts a spill at once, and holds as soon as the spill is written. */
  set limitBytes(bytes: number) {
    this.#limitBytes = checkedLimit(bytes)
    if (this.#memoryBytes - this.#writingBytes > bytes) this.#dropReadAhead(bytes * FREED_SHARE)
    if (this.#memoryBytes - this.#writingBytes > bytes) this.#spillDownTo(bytes * FREED_SHARE)
    this.#changed.notify()
  }

  /** Bytes held now: in queues, being written, read ahead, handed off. At most the limit plus one batch. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  get peakMemoryBytes(): number {
    return this.#peakMemoryBytes
  }

  /** Bytes written to spill files so far. */
  get spilledBytes(): number {
    return this.#spilledBytes
  }

  /** Those of them that were written while their batch stayed in memory: for a later process, not for want of room. */
  get copiedBytes(): number {
    return this.#copiedBytes
  }

  /**
   * Writes everything except handed-off batches, and resolves when it is written. Call it when no push is under way.
   */
  async spill(): Promise<void> {
    this.#dropReadAhead(0)
    this.#spillDownTo(0)
    while (this.#writingBytes > 0) {
      this.throwIfFailed()
      await this.changed()
    }
    this.throwIfFailed()
  }

  /** Throws the first error of a write. Nothing can be pushed to or taken from any queue of this budget after it. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  // The methods below are for the queues.

  add(queue: Spillable): void {
    this.#queues.add(queue)
  }

  remove(queue: Spillable): void {
    this.#queues.delete(queue)
  }

  /** Charges `bytes` if they fit and no push waits for room. */
  tryCharge(bytes: number): boolean {
    if (this.#waiting > 0 || this.#memoryBytes + bytes > this.#limitBytes) return false
    this.#charge(bytes)
    return true
  }

  /**
   * Makes room for a batch, charges it and calls `hold`, which puts it into `queue`; calls are served in order. When
   * the rest of the memory is handed off and cannot be spilled, the batch is written before this resolves.
   */
  async charge(queue: Spillable, bytes: number, hold: () => void): Promise<void> {
    this.#waiting += 1
    try {
      await this.#admissions.run(() => this.#admit(queue, bytes, hold))
    } finally {
      this.#waiting -= 1
    }
  }

  refund(bytes: number): void {
    this.#memoryBytes -= bytes
    this.#changed.notify()
  }

  /** Batches of a queue that are in memory and on disk: `by` more, or fewer. */
  countCopies(by: number): void {
    this.#copies += by
  }

  startedWriting(bytes: number): void {
    this.#writingBytes += bytes
  }

  /** Ends what startedWriting began: written as `fileBytes` bytes of a file, or given up (0). */
  finishedWriting(bytes: number, fileBytes: number): void {
    this.#writingBytes -= bytes
    this.#spilledBytes += fileBytes
    this.refund(bytes)
  }

  /**
   * Like finishedWriting, for a batch that its queue would keep in memory too. False when there is no room: then the
   * batch is refunded, and the queue must drop its copy.
   */
  finishedCopying(bytes: number, fileBytes: number): boolean {
    if (this.#waiting > 0 || this.#memoryBytes > this.#limitBytes) {
      this.finishedWriting(bytes, fileBytes)
      return false
    }
    this.#writingBytes -= bytes
    this.#spilledBytes += fileBytes
    this.#copiedBytes += fileBytes
    this.#changed.notify()
    return true
  }

  /** Runs one write when it is its turn; rejects when the budget has failed or the write fails. */
  write(task: () => Promise<void>): Promise<void> {
    return this.#writes.add(async () => {
      this.throwIfFailed()
      await task()
    })
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#changed.notify()
  }

  /** Resolves at the next change of anything: a refund, a new limit, a failure, a notify(). */
  changed(): Promise<void> {
    return this.#changed.next()
  }

  notify(): void {
    this.#changed.notify()
  }

  async #admit(queue: Spillable, bytes: number, hold: () => void): Promise<void> {
    for (;;) {
      this.throwIfFailed()
      if (this.#memoryBytes + bytes > this.#limitBytes) this.#dropReadAhead(this.#limitBytes * FREED_SHARE - bytes)
      if (this.#memoryBytes + bytes <= this.#limitBytes) {
        this.#hold(bytes, hold)
        return
      }
      const keptBytes = this.#memoryBytes - this.#writingBytes + bytes
      if (keptBytes > this.#limitBytes * AGAIN_SHARE) this.#spillDownTo(this.#limitBytes * FREED_SHARE - bytes)
      if (this.#memoryBytes - this.#writingBytes + bytes > this.#limitBytes) {
        // Still in this turn: no other push may go over the limit before this batch is on disk.
        this.#hold(bytes, hold)
        queue.startSpill(Infinity)
        await queue.written()
        return
      }
      await this.changed()
    }
  }

  /** `hold` throws when its queue was disposed of meanwhile; then nothing is charged. */
  #hold(bytes: number, hold: () => void): void {
    hold()
    this.#charge(bytes)
  }

  #charge(bytes: number): void {
    this.#memoryBytes += bytes
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, this.#memoryBytes)
  }

  /** Drops copies of batches that are on disk too, which costs no write, until `bytes` are held or no copy is left. */
  #dropReadAhead(bytes: number): void {
    if (this.#copies === 0) return
    for (const queue of this.#queues) {
      if (this.#memoryBytes <= bytes) return
      queue.dropReadAhead(this.#memoryBytes - bytes)
    }
  }

  /**
   * Starts spills, of the largest queue first, until at most `bytes` are neither written nor being written, or nothing
   * more can be spilled. A queue gives all that is asked for or all it has, so one pass is enough.
   */
  #spillDownTo(bytes: number): void {
    const excessBytes = (): number => this.#memoryBytes - this.#writingBytes - bytes
    // Called for every push that waits, with two queues per shard: mostly there is nothing to do.
    if (excessBytes() <= 0) return
    for (const victim of this.#bySize()) {
      victim.startSpill(Math.max(excessBytes(), SPILL_BYTES))
      if (excessBytes() <= 0) return
    }
  }

  #bySize(): Spillable[] {
    return Array.from(this.#queues)
      .filter(({ spillableBytes }) => spillableBytes > 0)
      .sort((a, b) => b.spillableBytes - a.spillableBytes)
  }
}

function checkedLimit(bytes: number): number {
  if (!(bytes >= 0)) throw new InvalidOptionError(`limitBytes: expected a number of bytes, at least 0, got ${bytes}`)
  return bytes
}
