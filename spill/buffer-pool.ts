/**
 * Reuses the shared buffers of batches: an unreferenced SharedArrayBuffer keeps its memory until some later garbage
 * collection, and RSS grows past any budget in the meantime.
 *
 * Buffers are carved out of large slabs (mapped-memory.ts). A buffer never leaves its size class, and a slab stays
 * until the pool is dropped, so for each class the pool holds the most that was ever lent at once.
 */

import { mappedMemory } from './mapped-memory.js'
import { isShared } from '../src/runtime/realms.js'

const SMALLEST_CLASS_BYTES = 4096
/** Sizes between two powers of two: a buffer is at most an eighth larger than asked for. */
const CLASSES_PER_OCTAVE = 8
/** Each larger buffer gets a separate slab. */
const SLAB_BYTES = 64 * 2 ** 20

interface Place {
  readonly slab: SharedArrayBuffer
  readonly offset: number
  readonly size: number
}

export class BufferPool {
  readonly #free = new Map<number, Place[]>()
  /** Lent buffers by slab and offset: a shorter view that begins at the same place gives one back too. */
  readonly #byPlace = new Map<SharedArrayBuffer, Map<number, Place>>()
  #slab: SharedArrayBuffer | undefined
  #carved = 0
  #freeBytes = 0
  #heldBytes = 0

  /** Bytes of the buffers that are free. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Bytes of all buffers, lent or free. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /**
   * A view of exactly `byteLength` bytes. Not zeroed: it may hold bytes of an earlier batch. Other buffers share its
   * SharedArrayBuffer, so the caller must stay inside the view.
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
   * Takes back the buffer that starts where `bytes` starts; it must not be read or written any more. Memory that is not
   * from this pool, or is already back, is ignored.
   */
  release(bytes: Uint8Array): void {
    if (!isShared(bytes.buffer)) return
    const places = this.#byPlace.get(bytes.buffer)
    const place = places?.get(bytes.byteOffset)
    if (places === undefined || place === undefined) return
    places.delete(place.offset)
    const free = this.#free.get(place.size)
    if (free === undefined) this.#free.set(place.size, [place])
    else free.push(place)
    this.#freeBytes += place.size
  }

  /** Forgets all free buffers, between stages. The next garbage collection frees their memory. */
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
