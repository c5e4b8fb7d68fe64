/**
 * A first-in first-out queue of batches that is in memory while its budget has room, and on disk past that.
 *
 * Its parts, in FIFO order: on disk (the first of them perhaps read ahead), being written, in memory. A spill moves the
 * oldest in-memory batches on, so the order never changes and the files hold it too.
 *
 * A durable queue writes every batch, behind the pushes, and keeps it in memory too while there is room: what is taken
 * soon is not read again, what must make room costs no second write, and the files hold everything that was ever pushed.
 */

import { InvalidOptionError } from '../src/errors.js'
import { batchBytes, MAX_BATCH_BYTES, type Batch, type BatchRef } from './batch.js'
import { Fifo } from './fifo.js'
import type { Spillable, SpillBudget } from './spill-budget.js'
import { queueClosed } from './files/spill-failure.js'
import { SpillFiles, type StoredFrame } from './files/spill-file.js'
import { Turns } from './turns.js'
import type { RecoveredFile } from './files/recover-spill-file.js'

export interface QueueOptions {
  /** Begins the names of its spill files: letters, digits, '.', '_' and '-'. Unique in the directory. */
  readonly name: string
  /** Where spill files go; made when the first one is written. */
  readonly directory: string
  readonly budget: SpillBudget
  /** Leave consumed files until dispose(). */
  readonly keepFiles?: boolean
  /** Every batch is written too, and no file is ever deleted, by dispose() neither: a later process goes on from them. */
  readonly durable?: boolean
  /** What a durable queue of that name, of an earlier process, left: the oldest batches of this one. */
  readonly recovered?: readonly RecoveredFile[]
}

interface Extent {
  readonly batches: number
  readonly vectors: number
  readonly bytes: number
}

export interface QueueLength {
  readonly batches: number
  readonly vectors: number
  /** Batches being written count as in memory until they are on disk. */
  readonly memory: Extent
  readonly disk: Extent
}

interface Held<H> {
  readonly batch: Batch<H>
  readonly chargedBytes: number
}

interface Stored<H> extends StoredFrame {
  /** In memory too, and charged with aheadBytes: read together with the frames before it, or kept when it was written. */
  ahead: Batch<H> | undefined
  aheadBytes: number
}

/** One vectored write: long enough to be sequential, short enough that memory comes back while a large spill goes on. */
const RUN_BYTES = 4 * 2 ** 20
const RUN_BATCHES = 256
/** One read of frames that follow each other, when the budget has the room. */
const READ_BYTES = 4 * 2 ** 20

export class DiskBackedQueue<H = unknown> {
  readonly name: string
  readonly #budget: SpillBudget
  readonly #files: SpillFiles
  readonly #disk = new Fifo<Stored<H>>()
  readonly #writing = new Fifo<Held<H>>()
  readonly #memory = new Fifo<Held<H>>()
  readonly #handedOff = new Map<BatchRef<H>, Held<H> | Stored<H>>()
  /** Takers (shift, handOff, dispose) go one at a time: FIFO is the order of their calls. */
  readonly #takers = new Turns()
  readonly #spillable: Spillable
  readonly #durable: boolean
  /** Settles when every push called so far has. */
  #pushes: Promise<unknown> = Promise.resolve()
  #spillableBytes = 0
  #pushedBatches = 0
  #storedBatches = 0
  #draining = false
  #closed = false
  #disposed: Promise<void> | undefined

  constructor({ name, directory, budget, keepFiles = false, durable = false, recovered = [] }: QueueOptions) {
    if (!/^[\w.-]+$/.test(name)) {
      throw new InvalidOptionError(`name: expected letters, digits, '.', '_' and '-', got ${JSON.stringify(name)}`)
    }
    this.name = name
    this.#budget = budget
    this.#durable = durable
    this.#files = new SpillFiles({ directory, name, fileSystem: budget.fileSystem, keep: keepFiles || durable })
    for (const file of recovered) {
      for (const frame of this.#files.adopt(file)) this.#disk.push(storedAs(frame))
    }
    this.#pushedBatches = this.#storedBatches = this.#disk.length
    const spillableBytes = (): number => this.#spillableBytes
    this.#spillable = {
      get spillableBytes() {
        return spillableBytes()
      },
      startSpill: (bytes) => this.#startSpill(bytes),
      dropReadAhead: (bytes) => this.#dropReadAhead(bytes),
      written: () => this.#written(),
    }
    budget.add(this.#spillable)
  }

  /** What is in the queue; handed-off batches and pushes that still wait for room are not. */
  get length(): QueueLength {
    const memory = { batches: this.#writing.length + this.#memory.length, vectors: 0, bytes: 0 }
    for (const part of [this.#writing, this.#memory]) {
      for (const { batch } of part) {
        memory.vectors += batch.count
        memory.bytes += batch.bytes.byteLength
      }
    }
    const disk = { batches: this.#disk.length, vectors: 0, bytes: 0 }
    for (const { count, frameBytes } of this.#disk) {
      disk.vectors += count
      disk.bytes += frameBytes
    }
    return { batches: memory.batches + disk.batches, vectors: memory.vectors + disk.vectors, memory, disk }
  }

  /** Batches pushed (and held) so far, those of an earlier process among them. */
  get pushedBatches(): number {
    return this.#pushedBatches
  }

  /** Resolves when the first `batches` of all that were pushed to this durable queue are in its files. */
  async stored(batches: number): Promise<void> {
    while (this.#storedBatches < batches) {
      this.#throwIfUnusable('wait')
      await this.#budget.changed()
    }
  }

  /** The files that were written to since the last call: those to sync. */
  takeUnsyncedFiles(): string[] {
    return this.#files.takeUnsynced()
  }

  /** Its spill files on disk, oldest first. */
  get files(): string[] {
    return this.#files.paths
  }

  /**
   * Resolves when the batch is held within the budget, or written; until then other pushes of any of the budget's queues
   * wait too. The batch belongs to the queue from the call on: nobody may write to its bytes or its header, and its
   * buffer goes back to the pool (if it is from there) once it is on disk. Rejects with the budget's failure if it has one.
   */
  async push(batch: Batch<H>): Promise<void> {
    if (this.#closed) throw queueClosed(this.name, 'push')
    this.#budget.throwIfFailed()
    checkBatch(batch)
    const held = { batch, chargedBytes: batchBytes(batch) }
    if (this.#budget.tryCharge(held.chargedBytes)) {
      this.#hold(held)
      return
    }
    const admitted = this.#budget.charge(this.#spillable, held.chargedBytes, () => {
      if (this.#disposed !== undefined) throw queueClosed(this.name, 'push')
      this.#hold(held)
    })
    this.#pushes = Promise.allSettled([admitted])
    await admitted
  }

  /**
   * The oldest batch, now the caller's and no longer counted; undefined when the queue is empty and no push is under way.
   * Its bytes can go back to the budget's pool after use. Throws CorruptSpillError when its frame is damaged.
   */
  shift(): Promise<Batch<H> | undefined> {
    return this.#takers.run(async () => {
      for (;;) {
        this.#throwIfUnusable('shift')
        const first = this.#disk.at(0)
        if (first !== undefined) return this.#shiftStored(first)
        if (this.#writing.length > 0) {
          await this.#budget.changed()
          continue
        }
        const held = this.#memory.shift()
        if (held !== undefined) {
          this.#spillableBytes -= held.chargedBytes
          this.#budget.refund(held.chargedBytes)
          return held.batch
        }
        const pushes = this.#pushes
        await pushes
        if (pushes === this.#pushes && this.length.batches === 0) return undefined
      }
    })
  }

  /** Consumes: each batch is as from shift(). Ends when the queue is empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<H>, void, undefined> {
    for (let batch = await this.shift(); batch !== undefined; batch = await this.shift()) yield batch
  }

  /** Writes everything that is in it, and was pushed before the call, to disk. */
  async spill(): Promise<void> {
    await this.#pushes
    this.#throwIfUnusable('spill')
    this.#startSpill(Infinity)
    await this.#written()
  }

  /**
   * Empties the queue into refs for a task, in FIFO order. In-memory batches stay charged, and files stay on disk, until
   * the same refs are given to release().
   */
  handOff(): Promise<BatchRef<H>[]> {
    return this.#takers.run(async () => {
      await this.#pushes
      this.#throwIfUnusable('hand off')
      while (this.#writing.length > 0) {
        await this.#budget.changed()
        this.#throwIfUnusable('hand off')
      }
      if (!this.#durable) this.#dropReadAhead(Infinity)
      const refs: BatchRef<H>[] = []
      for (const stored of this.#disk) {
        const { file, offset, frameBytes, count } = stored
        const ref: BatchRef<H> =
          stored.ahead === undefined
            ? { kind: 'file', path: file.path, offset, frameBytes, count }
            : { kind: 'memory', batch: stored.ahead }
        this.#handedOff.set(ref, stored)
        refs.push(ref)
      }
      for (const held of this.#memory) {
        const ref: BatchRef<H> = { kind: 'memory', batch: held.batch }
        this.#handedOff.set(ref, held)
        refs.push(ref)
      }
      this.#disk.clear()
      this.#memory.clear()
      this.#spillableBytes = 0
      return refs
    })
  }

  /**
   * The task that had these refs (the objects that handOff() returned) is done with them: their buffers go back to the
   * pool and files without unconsumed frames are deleted. Refs that are not handed off are refused.
   */
  async release(refs: readonly BatchRef<H>[]): Promise<void> {
    if (this.#disposed !== undefined) return this.#disposed
    const frames: Stored<H>[] = []
    for (const ref of refs) {
      const entry = this.#handedOff.get(ref)
      if (entry === undefined) throw new InvalidOptionError(`queue ${this.name}: a released ref is not handed off`)
      this.#handedOff.delete(ref)
      if ('file' in entry) {
        this.#forget(entry)
        frames.push(entry)
      } else this.#free(entry)
    }
    for (const { file } of frames) await this.#files.consume(file)
  }

  /** No more pushes; what is in it can still be taken. Waits for pushes and writes under way and throws their error. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#disposed !== undefined) return this.#disposed
    await this.#pushes
    await this.#written()
  }

  /**
   * Deletes its files (a durable queue's stay) and gives its memory back, after waiting for reads and writes under way. Buffers that are handed off
   * are left to the garbage collector: a task may still be reading them. Does not throw what made the budget fail.
   */
  dispose(): Promise<void> {
    this.#closed = true
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    this.#budget.notify()
    while (this.#draining) await this.#budget.changed()
    // Memory first, and without waiting for a turn: a push of this or of another queue may be waiting for this very room.
    for (const held of this.#memory) this.#free(held)
    for (const { batch, chargedBytes } of this.#writing) {
      this.#budget.finishedWriting(chargedBytes, 0)
      this.#budget.pool.release(batch.bytes)
    }
    for (const entry of this.#handedOff.values()) {
      if ('chargedBytes' in entry) this.#budget.refund(entry.chargedBytes)
      else if (entry.ahead !== undefined) this.#budget.refund(entry.aheadBytes)
    }
    this.#memory.clear()
    this.#writing.clear()
    this.#handedOff.clear()
    this.#spillableBytes = 0
    await this.#pushes
    await this.#takers.run(async () => {
      this.#dropReadAhead(Infinity)
      this.#disk.clear()
      this.#budget.remove(this.#spillable)
      if (!this.#durable) await this.#files.deleteAll()
    })
  }

  #throwIfUnusable(doing: string): void {
    if (this.#disposed !== undefined) throw queueClosed(this.name, doing)
    this.#budget.throwIfFailed()
  }

  #hold(held: Held<H>): void {
    this.#memory.push(held)
    this.#spillableBytes += held.chargedBytes
    this.#pushedBatches += 1
    if (this.#durable) this.#startSpill(Infinity)
  }

  #free({ batch, chargedBytes }: Held<H>): void {
    this.#budget.refund(chargedBytes)
    this.#budget.pool.release(batch.bytes)
  }

  #startSpill(bytes: number): void {
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

  /** Writes until nothing is left to write. Never rejects: nobody waits for it, so an error becomes the budget's. */
  async #drain(): Promise<void> {
    try {
      while (this.#writing.length > 0 && this.#disposed === undefined) {
        await this.#budget.write(() => this.#writeRun())
      }
    } catch (error) {
      this.#budget.fail(error)
    }
    this.#draining = false
    this.#budget.notify()
  }

  async #writeRun(): Promise<void> {
    const run: Held<H>[] = []
    let bytes = 0
    for (const held of this.#writing) {
      if (run.length > 0 && (bytes + held.batch.bytes.byteLength > RUN_BYTES || run.length === RUN_BATCHES)) break
      run.push(held)
      bytes += held.batch.bytes.byteLength
    }
    const frames = await this.#files.append(run.map(({ batch }) => batch))
    for (const [index, { batch, chargedBytes }] of run.entries()) {
      this.#writing.shift()
      const stored: Stored<H> = storedAs(frames[index])
      this.#disk.push(stored)
      this.#storedBatches += 1
      if (this.#durable && this.#budget.finishedCopying(chargedBytes, stored.frameBytes)) {
        stored.ahead = batch
        stored.aheadBytes = chargedBytes
        continue
      }
      this.#budget.pool.release(batch.bytes)
      if (!this.#durable) this.#budget.finishedWriting(chargedBytes, stored.frameBytes)
    }
  }

  async #written(): Promise<void> {
    while (this.#writing.length > 0 && this.#disposed === undefined) {
      this.#budget.throwIfFailed()
      await this.#budget.changed()
    }
    this.#budget.throwIfFailed()
  }

  async #shiftStored(first: Stored<H>): Promise<Batch<H>> {
    const batch = first.ahead ?? (await this.#readFrom(first))
    if (first.ahead !== undefined) this.#budget.refund(first.aheadBytes)
    first.ahead = undefined
    this.#disk.shift()
    await this.#files.consume(first.file)
    return batch
  }

  /** Reads the first frame, and with it those behind it as far as the budget has room for them now. */
  async #readFrom(first: Stored<H>): Promise<Batch<H>> {
    const run = [first]
    let bytes = first.frameBytes
    for (let index = 1; index < this.#disk.length; index++) {
      const last = run[index - 1]
      const next = this.#disk.at(index)
      if (
        next === undefined ||
        next.ahead !== undefined ||
        next.file !== last.file ||
        next.offset !== last.offset + last.frameBytes
      )
        break
      if (bytes + next.frameBytes > READ_BYTES || !this.#budget.tryCharge(next.frameBytes)) break
      run.push(next)
      bytes += next.frameBytes
    }
    try {
      const batches = await this.#files.read<H>(run, this.#budget.pool)
      for (let index = 1; index < run.length; index++) {
        run[index].ahead = batches[index]
        run[index].aheadBytes = run[index].frameBytes
      }
      return batches[0]
    } catch (error) {
      this.#budget.refund(bytes - first.frameBytes)
      throw error
    }
  }

  #dropReadAhead(bytes: number): void {
    let droppedBytes = 0
    for (const stored of this.#disk) {
      if (droppedBytes >= bytes) return
      if (stored.ahead !== undefined) {
        droppedBytes += stored.aheadBytes
        this.#forget(stored)
      } else if (!this.#durable) return
    }
  }

  /** Lets go of the copy in memory, if there is one. */
  #forget(stored: Stored<H>): void {
    if (stored.ahead === undefined) return
    this.#budget.pool.release(stored.ahead.bytes)
    stored.ahead = undefined
    this.#budget.refund(stored.aheadBytes)
  }
}

/** Field by field: a spread gives each object a shape of its own, 300 bytes beside its 100, and queues hold many. */
function storedAs<H>({ file, offset, frameBytes, leadBytes, payloadBytes, count }: StoredFrame): Stored<H> {
  return { file, offset, frameBytes, leadBytes, payloadBytes, count, ahead: undefined, aheadBytes: 0 }
}

function checkBatch({ bytes, count }: Batch): void {
  if (!Number.isInteger(count) || count < 0 || count > 0xffffffff) {
    throw new InvalidOptionError(`count: expected an integer from 0 to 4294967295, got ${count}`)
  }
  if (bytes.byteLength > MAX_BATCH_BYTES) {
    throw new InvalidOptionError(`bytes: expected at most ${MAX_BATCH_BYTES} bytes in a batch, got ${bytes.byteLength}`)
  }
}
