/**
 * Shared buffers for batches, used again instead of left to the garbage collector: a SharedArrayBuffer that nobody points
 * to keeps its memory until some later collection, and RSS grows past any budget in the meantime.
 *
 * Buffers are carved out of large slabs (see mapped-memory). A buffer never leaves its size class, and a slab stays until
 * the pool is dropped: what the pool holds is the most that was ever lent at once, per class.
 */

import { mappedMemory } from './mapped-memory.js'

const SMALLEST_CLASS_BYTES = 4096
/** Sizes between two powers of two: a buffer is at most an eighth larger than asked for. */
const CLASSES_PER_OCTAVE = 8
/** Larger buffers get a slab of their own. */
const SLAB_BYTES = 64 * 2 ** 20

interface Place {
  readonly slab: SharedArrayBuffer
  readonly offset: number
  readonly size: number
}

export class BufferPool {
  readonly #free = new Map<number, Place[]>()
  /** What is lent, by slab and offset: a shorter view of the same place gives it back too. */
  readonly #byPlace = new Map<SharedArrayBuffer, Map<number, Place>>()
  #slab: SharedArrayBuffer | undefined
  #carved = 0
  #freeBytes = 0
  #heldBytes = 0

  /** Bytes of buffers that wait to be used again. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Bytes of all buffers made, lent or free. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /**
   * A view of exactly `byteLength` bytes. Not zeroed: it may hold what an earlier batch left. It shares its
   * SharedArrayBuffer with others; nobody may look beyond the view.
   */
  acquire(byteLength: number): Uint8Array {
    const size = classBytes(byteLength)
    const reused = this.#free.get(size)?.pop()
    if (reused !== undefined) this.#freeBytes -= size
    const place = reused ?? this.#carve(size)
    const places = this.#byPlace.get(place.slab) ?? new Map<number, Place>()
    places.set(place.offset, place)
    this.#byPlace.set(place.slab, places)
    return new Uint8Array(place.slab, place.offset, byteLength)
  }

  /**
   * Takes back the buffer that `bytes` begins at; nobody may read or write it any more. Memory that is not from here, or
   * is back already, is left alone.
   */
  release(bytes: Uint8Array): void {
    if (!(bytes.buffer instanceof SharedArrayBuffer)) return
    const places = this.#byPlace.get(bytes.buffer)
    const place = places?.get(bytes.byteOffset)
    if (places === undefined || place === undefined) return
    places.delete(place.offset)
    const free = this.#free.get(place.size)
    if (free === undefined) this.#free.set(place.size, [place])
    else free.push(place)
    this.#freeBytes += place.size
  }

  /** Forgets all buffers that are not lent: between stages. Their memory goes with the next garbage collection. */
  clear(): void {
    this.#free.clear()
    this.#slab = undefined
    this.#heldBytes -= this.#freeBytes
    this.#freeBytes = 0
    for (const [slab, places] of this.#byPlace) if (places.size === 0) this.#byPlace.delete(slab)
  }

  #carve(size: number): Place {
    this.#heldBytes += size
    if (size > SLAB_BYTES) return { slab: mappedMemory(size), offset: 0, size }
    if (this.#slab === undefined || this.#carved + size > SLAB_BYTES) {
      this.#slab = mappedMemory(SLAB_BYTES)
      this.#carved = 0
    }
    const place = { slab: this.#slab, offset: this.#carved, size }
    this.#carved += size
    return place
  }
}

/** The smallest class that holds `byteLength`; a multiple of 64, so that every view starts on a cache line. */
function classBytes(byteLength: number): number {
  if (byteLength <= SMALLEST_CLASS_BYTES) return SMALLEST_CLASS_BYTES
  const step = 2 ** Math.floor(Math.log2(byteLength)) / CLASSES_PER_OCTAVE
  return Math.ceil(byteLength / step) * step
}
