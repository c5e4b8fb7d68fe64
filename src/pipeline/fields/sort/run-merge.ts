import type { Queue } from '../../../../spill/queue.js'
import { compareBytes } from '../../../fields/compare-bytes.js'
import type { Queues } from '../../run/queues.js'

/** Of an entry: the lengths of its key and its payload. */
export const ENTRY_HEAD_BYTES = 8

const NOTHING = new Uint8Array(0)

/** Goes through the entries of sorted runs in the order of their keys, with a batch of each run in memory. */
export class RunMerge {
  readonly #queues: Queues
  /** A heap: the run whose entry is next is first. */
  readonly #heap: RunCursor[] = []
  #hasBegun = false
  #lastKey = new Uint8Array(256)
  #lastLength = -1
  #isNewKey = true

  /** Takes the runs over: they are disposed of as they end. */
  static async open(queues: Queues, runs: readonly Queue<null>[]): Promise<RunMerge> {
    const merge = new RunMerge(queues)
    for (const [order, queue] of runs.entries()) {
      const cursor = new RunCursor(queue, order)
      if (await cursor.refill(queues)) merge.#heap.push(cursor)
    }
    for (let at = merge.#heap.length >>> 1; at-- > 0;) merge.#siftDown(at)
    return merge
  }

  private constructor(queues: Queues) {
    this.#queues = queues
  }

  /** Of the entry: its key is from `keyFrom` up to `keyTo`, its payload goes on to `payloadTo`. Valid until `next`. */
  get bytes(): Uint8Array {
    return this.#heap[0].bytes
  }

  get keyFrom(): number {
    return this.#heap[0].keyFrom
  }

  get keyTo(): number {
    return this.#heap[0].keyTo
  }

  get payloadTo(): number {
    return this.#heap[0].payloadTo
  }

  /** Whether the entry before had another key, or there was none. */
  get isNewKey(): boolean {
    return this.#isNewKey
  }

  /** Goes to the next entry; false when there is none. A promise only where a batch is used up. */
  next(): boolean | Promise<boolean> {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      return this.#heap.length > 0
    }
    const first = this.#heap.at(0)
    if (first === undefined) return false
    this.#keepKey(first)
    if (!first.step()) return this.#refill(first)
    return this.#settle()
  }

  async #refill(first: RunCursor): Promise<boolean> {
    if (!(await first.refill(this.#queues))) {
      const last = this.#heap.pop()
      if (last === undefined || this.#heap.length === 0) return false
      this.#heap[0] = last
    }
    return this.#settle()
  }

  #settle(): boolean {
    this.#siftDown(0)
    const { bytes, keyFrom, keyTo } = this.#heap[0]
    this.#isNewKey = compareBytes(bytes, keyFrom, keyTo, this.#lastKey, 0, this.#lastLength) !== 0
    return true
  }

  #keepKey({ bytes, keyFrom, keyTo }: RunCursor): void {
    this.#lastLength = keyTo - keyFrom
    if (this.#lastLength > this.#lastKey.length) this.#lastKey = new Uint8Array(2 * this.#lastLength)
    for (let i = 0; i < this.#lastLength; i++) this.#lastKey[i] = bytes[keyFrom + i]
  }

  #siftDown(from: number): void {
    const heap = this.#heap
    const moved = heap[from]
    let at = from
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1].isBefore(heap[child])) child++
      if (!heap[child].isBefore(moved)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = moved
  }
}

/** The entry of one run that is next. */
class RunCursor {
  readonly #queue: Queue<null>
  readonly #order: number
  bytes: Uint8Array = NOTHING
  keyFrom = 0
  keyTo = 0
  payloadTo = 0

  constructor(queue: Queue<null>, order: number) {
    this.#queue = queue
    this.#order = order
  }

  /** Goes to the next entry of the batch; false when there is none. */
  step(): boolean {
    const at = this.payloadTo
    if (at === this.bytes.length) return false
    this.keyFrom = at + ENTRY_HEAD_BYTES
    this.keyTo = this.keyFrom + wordAt(this.bytes, at)
    this.payloadTo = this.keyTo + wordAt(this.bytes, at + 4)
    return true
  }

  /** Goes to the first entry of the next batch; false, and the run is disposed of, when there is none. */
  async refill(queues: Queues): Promise<boolean> {
    queues.buffers.release(this.bytes)
    this.bytes = NOTHING
    this.payloadTo = 0
    const batch = await this.#queue.shift()
    if (batch === undefined) {
      await queues.dispose(this.#queue)
      return false
    }
    this.bytes = batch.bytes
    return this.step()
  }

  isBefore(other: RunCursor): boolean {
    const order = compareBytes(this.bytes, this.keyFrom, this.keyTo, other.bytes, other.keyFrom, other.keyTo)
    return order < 0 || (order === 0 && this.#order < other.#order)
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
}
