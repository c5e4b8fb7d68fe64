import { SALT_SAMPLE, hashOrdinal } from './ordinal-hash.js'

/**
 * The rows whose (seed, ordinal) hashes are the smallest: a uniform sample that does not depend on batching or on
 * where reading was resumed. Rows lie in one flat array; a max-heap over slots says which row leaves next.
 */
export class ReservoirSample {
  readonly #dimensions: number
  readonly #capacity: number
  readonly #seed: number
  #rows: Float32Array
  readonly #hashes: Uint32Array
  readonly #ordinals: Float64Array
  /** Slots as a heap, the largest (hash, ordinal) at the root. */
  readonly #heap: Uint32Array
  #count = 0

  constructor(options: { dimensions: number; capacity: number; seed: number }) {
    this.#dimensions = options.dimensions
    this.#capacity = options.capacity
    this.#seed = options.seed
    this.#rows = new Float32Array(Math.min(options.capacity, 1024) * options.dimensions)
    this.#hashes = new Uint32Array(options.capacity)
    this.#ordinals = new Float64Array(options.capacity)
    this.#heap = new Uint32Array(options.capacity)
  }

  /** Offers `rows[at .. at + dimensions)`; copies it only when it is drawn. */
  offer(ordinal: number, rows: Float32Array, at: number): void {
    const hash = hashOrdinal(this.#seed, SALT_SAMPLE, ordinal)
    if (this.#count < this.#capacity) {
      const slot = this.#count++
      this.#grow()
      this.#store(slot, hash, ordinal, rows, at)
      this.#heap[slot] = slot
      this.#up(slot)
      return
    }
    const root = this.#heap[0]
    if (hash > this.#hashes[root] || (hash === this.#hashes[root] && ordinal > this.#ordinals[root])) return
    this.#store(root, hash, ordinal, rows, at)
    this.#down(0)
  }

  /** The sample in order of hash: a random order, so that its first rows are a smaller sample. Row-major copy. */
  take(): { rows: Float32Array; count: number } {
    const order = Array.from(this.#heap.subarray(0, this.#count)).sort((a, b) => (this.#after(a, b) ? 1 : -1))
    const out = new Float32Array(this.#count * this.#dimensions)
    order.forEach((slot, i) => {
      out.set(this.#rows.subarray(slot * this.#dimensions, (slot + 1) * this.#dimensions), i * this.#dimensions)
    })
    this.#rows = new Float32Array(0)
    return { rows: out, count: order.length }
  }

  #grow(): void {
    const needed = this.#count * this.#dimensions
    if (needed <= this.#rows.length) return
    const larger = new Float32Array(Math.min(this.#capacity * this.#dimensions, this.#rows.length * 2))
    larger.set(this.#rows)
    this.#rows = larger
  }

  #store(slot: number, hash: number, ordinal: number, rows: Float32Array, at: number): void {
    this.#hashes[slot] = hash
    this.#ordinals[slot] = ordinal
    this.#rows.set(rows.subarray(at, at + this.#dimensions), slot * this.#dimensions)
  }

  #after(a: number, b: number): boolean {
    const difference = this.#hashes[a] - this.#hashes[b]
    return difference === 0 ? this.#ordinals[a] > this.#ordinals[b] : difference > 0
  }

  #up(start: number): void {
    const heap = this.#heap
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#after(heap[at], heap[parent])) return
      ;[heap[at], heap[parent]] = [heap[parent], heap[at]]
      at = parent
    }
  }

  #down(start: number): void {
    const heap = this.#heap
    let at = start
    for (;;) {
      let largest = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#count && this.#after(heap[child], heap[largest])) largest = child
      }
      if (largest === at) return
      ;[heap[at], heap[largest]] = [heap[largest], heap[at]]
      at = largest
    }
  }
}
