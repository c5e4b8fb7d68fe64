import { InvalidOptionError } from '../src/errors.js'
import { batchBytes, MAX_BATCH_BYTES, type Batch, type BatchRef } from './batch.js'
import { queueClosed } from './files/spill-failure.js'
import { SpillFiles } from './files/spill-file.js'
import { HeldBatches, type HeldBatch } from './held-batches.js'
import type { Queue, QueueLength, QueueOptions } from './queue.js'
import type { Spillable, SpillBudget } from './spill-budget.js'
import { StoredBatches, type StoredBatch } from './stored-batches.js'
import { Turns } from './turns.js'

/** What every queue does: order, charges and turns. A kind of queue says when it writes and what it keeps. */
export abstract class SpillingQueue<H> implements Queue<H> {
  readonly name: string
  protected readonly budget: SpillBudget
  protected readonly spillFiles: SpillFiles
  /** The older batches. */
  protected readonly disk: StoredBatches<H>
  /** The newer batches. */
  protected readonly memory: HeldBatches<H>
  readonly #handedOff = new Map<BatchRef<H>, HeldBatch<H> | StoredBatch<H>>()
  /** Takers (shift, handOff, dispose) go one at a time: FIFO is the order of their calls. */
  readonly #takers = new Turns()
  readonly #spillable: Spillable
  readonly #handsOffFiles: boolean
  /** Settles when every push called so far has. */
  #pushes: Promise<unknown> = Promise.resolve()
  #closed = false
  #disposed: Promise<void> | undefined

  /** `keepFiles` leaves files whose batches are consumed. */
  constructor({ name, directory, budget, handsOffFiles = false }: QueueOptions, keepFiles: boolean) {
    if (!/^[\w.-]+$/.test(name)) {
      throw new InvalidOptionError(`name: expected letters, digits, '.', '_' and '-', got ${JSON.stringify(name)}`)
    }
    this.name = name
    this.budget = budget
    this.#handsOffFiles = handsOffFiles
    this.spillFiles = new SpillFiles({ directory, name, fileSystem: budget.fileSystem, keep: keepFiles })
    const disk = new StoredBatches<H>(budget, this.spillFiles)
    const memory = new HeldBatches<H>(budget, this.spillFiles, (held, frame) => {
      if (this.keepsCopy(held, frame.frameBytes)) disk.push(frame, held)
      else {
        disk.push(frame)
        budget.pool.release(held.batch.bytes)
      }
    })
    this.disk = disk
    this.memory = memory
    this.#spillable = {
      get spillableBytes() {
        return memory.spillableBytes
      },
      startSpill: (bytes) => memory.startSpill(bytes),
      dropReadAhead: (bytes) => disk.dropCopies(bytes),
      written: () => memory.written(),
    }
    budget.add(this.#spillable)
  }

  /** Called after each push, when the batch is in `memory`. */
  protected abstract afterPush(): void

  /**
   * Settles the charge of a batch that is on disk now. True: it stays in memory too, charged. False: it is refunded.
   */
  protected abstract keepsCopy(held: HeldBatch<H>, frameBytes: number): boolean

  /** Called before a hand-off, when nothing is being written. */
  protected abstract beforeHandOff(): void

  /** Called by dispose() at its end. */
  protected abstract afterDispose(): Promise<void>

  get length(): QueueLength {
    const [memory, disk] = [this.memory.length, this.disk.length]
    return { batches: memory.batches + disk.batches, vectors: memory.vectors + disk.vectors, memory, disk }
  }

  get files(): string[] {
    return this.spillFiles.paths
  }

  async push(batch: Batch<H>): Promise<void> {
    if (this.#closed) throw queueClosed(this.name, 'push')
    this.budget.throwIfFailed()
    checkBatch(batch)
    const held = { batch, chargedBytes: batchBytes(batch) }
    if (this.budget.tryCharge(held.chargedBytes)) {
      this.#hold(held)
      return
    }
    const admitted = this.budget.charge(this.#spillable, held.chargedBytes, () => {
      if (this.#disposed !== undefined) throw queueClosed(this.name, 'push')
      this.#hold(held)
    })
    this.#pushes = Promise.allSettled([admitted])
    await admitted
  }

  shift(): Promise<Batch<H> | undefined> {
    return this.#takers.run(async () => {
      for (;;) {
        this.throwIfUnusable('shift')
        if (!this.disk.isEmpty) return this.disk.shift()
        if (this.memory.isWriting) {
          await this.budget.changed()
          continue
        }
        const held = this.memory.shift()
        if (held !== undefined) {
          this.budget.refund(held.chargedBytes)
          return held.batch
        }
        const pushes = this.#pushes
        await pushes
        if (pushes === this.#pushes && this.length.batches === 0) return undefined
      }
    })
  }

  /** Takes each batch as shift() does, and ends when the queue is empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<H>, void, undefined> {
    for (let batch = await this.shift(); batch !== undefined; batch = await this.shift()) yield batch
  }

  async spill(): Promise<void> {
    await this.#pushes
    this.throwIfUnusable('spill')
    this.memory.startSpill(Infinity)
    await this.memory.written()
  }

  handOff(): Promise<BatchRef<H>[]> {
    return this.#takers.run(async () => {
      await this.#pushes
      this.throwIfUnusable('hand off')
      if (this.#handsOffFiles) this.memory.startSpill(Infinity)
      while (this.memory.isWriting) {
        await this.budget.changed()
        this.throwIfUnusable('hand off')
      }
      this.beforeHandOff()
      if (this.#handsOffFiles) this.disk.dropCopies(Infinity)
      const refs: BatchRef<H>[] = []
      for (const [ref, stored] of this.disk.takeAll()) {
        this.#handedOff.set(ref, stored)
        refs.push(ref)
      }
      for (const held of this.memory.takeAll()) {
        const ref: BatchRef<H> = { kind: 'memory', batch: held.batch }
        this.#handedOff.set(ref, held)
        refs.push(ref)
      }
      return refs
    })
  }

  async release(refs: readonly BatchRef<H>[]): Promise<void> {
    if (this.#disposed !== undefined) return this.#disposed
    const consumed: StoredBatch<H>[] = []
    for (const ref of refs) {
      const entry = this.#handedOff.get(ref)
      if (entry === undefined) throw new InvalidOptionError(`queue ${this.name}: a released ref is not handed off`)
      this.#handedOff.delete(ref)
      if ('file' in entry) {
        this.disk.dropCopy(entry)
        consumed.push(entry)
      } else {
        this.budget.refund(entry.chargedBytes)
        this.budget.pool.release(entry.batch.bytes)
      }
    }
    for (const { file } of consumed) await this.spillFiles.consume(file)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#disposed !== undefined) return this.#disposed
    await this.#pushes
    await this.memory.written()
  }

  dispose(): Promise<void> {
    this.#closed = true
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    // Memory first, and without waiting for a turn: a push to this or another queue may be waiting for this very room.
    await this.memory.dispose()
    for (const entry of this.#handedOff.values()) {
      if ('chargedBytes' in entry) this.budget.refund(entry.chargedBytes)
      else if (entry.copy !== undefined) this.budget.refund(entry.copyBytes)
    }
    this.#handedOff.clear()
    await this.#pushes
    await this.#takers.run(async () => {
      this.disk.dispose()
      this.budget.remove(this.#spillable)
      await this.afterDispose()
    })
  }

  protected throwIfUnusable(doing: string): void {
    if (this.#disposed !== undefined) throw queueClosed(this.name, doing)
    this.budget.throwIfFailed()
  }

  #hold(held: HeldBatch<H>): void {
    this.memory.push(held)
    this.afterPush()
  }
}

function checkBatch({ bytes, count }: Batch): void {
  if (!Number.isInteger(count) || count < 0 || count > 0xffffffff) {
    throw new InvalidOptionError(`count: expected an integer from 0 to 4294967295, got ${count}`)
  }
  if (bytes.byteLength > MAX_BATCH_BYTES) {
    throw new InvalidOptionError(`bytes: expected at most ${MAX_BATCH_BYTES} bytes in a batch, got ${bytes.byteLength}`)
  }
}
