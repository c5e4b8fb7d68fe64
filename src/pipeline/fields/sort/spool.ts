import type { Queue } from '../../../../spill/queue.js'
import type { Queues } from '../../run/queues.js'

const BATCH_BYTES = 64 * 1024

/** Whole rows of numbers, and the run that they were written in. */
export interface SpooledRows<Numbers> {
  readonly run: number
  readonly numbers: Numbers
}

type NumberArray = Uint32Array | Float64Array

/**
 * Rows of numbers on their way from the pass over the rows of fields to a column, whose size or codes are not known
 * before the pass ends. In memory while there is room, then on disk.
 */
export class Spool<Numbers extends NumberArray> {
  readonly #queues: Queues
  readonly #queue: Queue<number>
  readonly #make: (buffer: ArrayBufferLike, at: number, length: number) => Numbers
  #batch: Numbers | undefined
  #bytes = new Uint8Array(0) as Uint8Array
  #used = 0
  #run = 0

  /** `name`: of its queue. `make`: a view of numbers. */
  constructor(queues: Queues, name: string, make: (buffer: ArrayBufferLike, at: number, length: number) => Numbers) {
    this.#queues = queues
    this.#queue = queues.open<number>(name)
    this.#make = make
  }

  /** Copies the first `length` numbers, which stay together. A promise where there is no room at once. */
  add(numbers: Numbers, length: number): Promise<void> | undefined {
    const pushed = this.#batch !== undefined && this.#used + length > this.#batch.length ? this.#push() : undefined
    const batch = (this.#batch ??= this.#open(length * numbers.BYTES_PER_ELEMENT, numbers.BYTES_PER_ELEMENT))
    let used = this.#used
    for (let i = 0; i < length; i++) batch[used++] = numbers[i]
    this.#used = used
    return pushed
  }

  /** Ends a run: rows that follow belong to the next one. */
  async endRun(): Promise<void> {
    await this.#push()
    this.#run++
  }

  /** All rows, in order; each batch is valid until the next one. Disposes of the queue. */
  async *rows(): AsyncGenerator<SpooledRows<Numbers>, void, void> {
    await this.#push()
    for await (const { header, bytes, count } of this.#queue) {
      yield { run: header, numbers: this.#make(bytes.buffer, bytes.byteOffset, count) }
      this.#queues.buffers.release(bytes)
    }
    await this.#queues.dispose(this.#queue)
  }

  #open(leastBytes: number, elementBytes: number): Numbers {
    this.#bytes = this.#queues.buffers.acquire(Math.max(BATCH_BYTES, leastBytes))
    return this.#make(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length / elementBytes)
  }

  async #push(): Promise<void> {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    const count = this.#used
    this.#used = 0
    const bytes = this.#bytes.subarray(0, count * batch.BYTES_PER_ELEMENT)
    await this.#queue.push({ header: this.#run, count, bytes })
  }
}

export const wordSpool = (queues: Queues, name: string): Spool<Uint32Array> =>
  new Spool(queues, name, (buffer, at, length) => new Uint32Array(buffer, at, length))

export const floatSpool = (queues: Queues, name: string): Spool<Float64Array> =>
  new Spool(queues, name, (buffer, at, length) => new Float64Array(buffer, at, length))
