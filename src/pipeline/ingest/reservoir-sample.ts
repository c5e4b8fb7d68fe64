import { mappedMemory } from '../../../spill/mapped-memory.js'
import { SALT_SAMPLE, hashOrdinal } from '../../rows/hash-ordinal.js'
import type { BuildSizes } from '../../plan/stage-memory.js'
import { sampleRows } from '../../plan/sample-rows.js'

export interface Sample {
  /** Row-major float32 over a SharedArrayBuffer, in random order, so that its first rows are a smaller sample. */
  readonly rows: Float32Array
  readonly count: number
}

/**
 * The rows with the smallest (seed, ordinal) hashes, as many as `sampleRows` of the count so far. The sample does not
 * depend on batching. It is exactly uniform while the number of rows is constant. Past 8 million vectors the number
 * grows with the count. A row that arrives when it grows is kept whatever its hash. The row with the largest hash is
 * replaced next. Rows are stored in one flat array, and a max-heap over slots finds the row to replace.
 */
export class ReservoirSample {
  readonly #dimensions: number
  readonly #seed: number
  #rows: Float32Array
  #hashes: Uint32Array
  #ordinals: Float64Array
  /** Slots as a heap, the largest (hash, ordinal) at the root. */
  #heap: Uint32Array
  #count = 0

  constructor(options: { dimensions: number; seed: number }) {
    this.#dimensions = options.dimensions
    this.#seed = options.seed
    const slots = 4096
    this.#rows = new Float32Array(mappedMemory(4 * slots * options.dimensions))
    this.#hashes = new Uint32Array(slots)
    this.#ordinals = new Float64Array(slots)
    this.#heap = new Uint32Array(slots)
  }

  /** Offers `rows[at .. at + dimensions)`. Ordinals must ascend. The row is copied only when it is drawn. */
  offer(ordinal: number, rows: Float32Array, at: number): void {
    const hash = hashOrdinal(this.#seed, SALT_SAMPLE, ordinal)
    if (this.#count < sampleRows(ordinal + 1, this.#dimensions)) {
      const slot = this.#count++
      if (slot === this.#hashes.length) this.#grow()
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

  /** Returns the sample in order of hash, and leaves this one empty. Rows move inside their buffer. */
  take(): Sample {
    const [count, dimensions] = [this.#count, this.#dimensions]
    const rows = this.#rows.subarray(0, count * dimensions)
    const order = this.#heap.subarray(0, count).sort((a, b) => (this.#after(a, b) ? 1 : -1))
    moveRows(rows, dimensions, order)
    this.#rows = new Float32Array(0)
    this.#count = 0
    return { rows, count }
  }

  #grow(): void {
    const slots = Math.ceil(this.#hashes.length * 1.5)
    const grown = <Words extends Float32Array | Float64Array | Uint32Array>(words: Words, larger: Words): Words => {
      larger.set(words)
      return larger
    }
    this.#rows = grown(this.#rows, new Float32Array(mappedMemory(4 * slots * this.#dimensions)))
    this.#hashes = grown(this.#hashes, new Uint32Array(slots))
    this.#ordinals = grown(this.#ordinals, new Float64Array(slots))
    this.#heap = grown(this.#heap, new Uint32Array(slots))
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

/** Place i gets the row of `order[i]`, in place: cycle by cycle, with one row beside them. Overwrites `order`. */
function moveRows(rows: Float32Array, dimensions: number, order: Uint32Array): void {
  const first = new Float32Array(dimensions)
  for (let start = 0; start < order.length; start++) {
    if (order[start] === start) continue
    first.set(rows.subarray(start * dimensions, (start + 1) * dimensions))
    let to = start
    for (let from = order[to]; from !== start; from = order[to]) {
      rows.copyWithin(to * dimensions, from * dimensions, (from + 1) * dimensions)
      order[to] = to
      to = from
    }
    rows.set(first, to * dimensions)
    order[to] = to
  }
}

/** The rows of a sample, and once more where they grow or a task copies them. */
export function sampleBytes({ count, dimensions, vectorBytes }: BuildSizes): number {
  return 2 * sampleRows(count, dimensions) * vectorBytes
}
