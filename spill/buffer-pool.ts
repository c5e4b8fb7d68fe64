/**
 * Shared buffers for batches, used again instead of left to the garbage collector: a SharedArrayBuffer that nobody points
 * to keeps its memory until some later collection, and RSS grows past any budget in the meantime.
 */

import { InvalidOptionError } from '../src/errors.js'

const SMALLEST_CLASS_BYTES = 4096
/** Sizes between two powers of two: a buffer is at most an eighth larger than asked for. */
const CLASSES_PER_OCTAVE = 8

export class BufferPool {
  readonly #maxFreeBytes: number
  /** By class size; the class that was asked for longest ago comes first. */
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0

  /** Keeps at most `maxFreeBytes` of unused buffers; they are not part of any SpillBudget. 0 keeps none. */
  constructor(maxFreeBytes: number) {
    if (!(maxFreeBytes >= 0)) {
      throw new InvalidOptionError(`maxFreeBytes: expected a number of bytes, at least 0, got ${maxFreeBytes}`)
    }
    this.#maxFreeBytes = maxFreeBytes
  }

  /** Bytes of buffers that wait to be used again. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /**
   * A view of exactly `byteLength` bytes at the start of a SharedArrayBuffer. Not zeroed: it may hold what an earlier batch
   * left. One buffer belongs to one batch; two batches must not be views of the same one.
   */
  acquire(byteLength: number): Uint8Array {
    const size = classBytes(byteLength)
    const free = this.#free.get(size)
    const buffer = free?.pop()
    if (free !== undefined) {
      this.#free.delete(size)
      if (free.length > 0) this.#free.set(size, free)
    }
    if (buffer !== undefined) this.#freeBytes -= size
    const lent = buffer ?? new SharedArrayBuffer(size)
    this.#lent.add(lent)
    return new Uint8Array(lent, 0, byteLength)
  }

  /**
   * Takes back the buffer that `bytes` is a view of; nobody may read or write it any more. Memory that is not from here,
   * or is back already, is left alone.
   */
  release(bytes: Uint8Array): void {
    const { buffer } = bytes
    if (!this.#lent.delete(buffer) || !(buffer instanceof SharedArrayBuffer)) return
    const size = buffer.byteLength
    if (size > this.#maxFreeBytes) return
    while (this.#freeBytes + size > this.#maxFreeBytes) this.#dropOldest()
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [buffer])
    else free.push(buffer)
    this.#freeBytes += size
  }

  /** Forgets all unused buffers: between stages, whose batches differ in size. */
  clear(): void {
    this.#free.clear()
    this.#freeBytes = 0
  }

  #dropOldest(): void {
    for (const [size, free] of this.#free) {
      free.pop()
      this.#freeBytes -= size
      if (free.length === 0) this.#free.delete(size)
      return
    }
  }
}

/** The smallest class that holds `byteLength`; a multiple of 8, so that a padded frame body fits too. */
function classBytes(byteLength: number): number {
  if (byteLength <= SMALLEST_CLASS_BYTES) return SMALLEST_CLASS_BYTES
  const step = 2 ** Math.floor(Math.log2(byteLength)) / CLASSES_PER_OCTAVE
  return Math.ceil(byteLength / step) * step
}
