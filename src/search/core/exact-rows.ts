/**
 * Vectors that are searched exactly, without a graph: added and killed one by one, in a kernel memory of their own. They
 * have the distances, to the bit, that they have in an index. The memory is freed with the object.
 */
import { placeBlock, setBlock, type Block } from '../../../kernel/block.js'
import { SCAN_NEAREST } from '../../../kernel/blocks.js'
import { Kernel } from '../../../kernel/kernel.js'
import type { Metric } from '../../api/vectors.js'
import { ALIGN_BYTES, metricNumber } from './search-context.js'

export interface ExactRowsShape {
  readonly dimensions: number
  readonly metric: Metric
  /** Rows at most, dead ones too. */
  readonly capacity: number
}

/** Room is made for this many rows at first, then for twice as many each time. */
const FIRST_ROWS = 256
const GROUP_BYTES = 32
const BEST_BYTES = 8

export class ExactRows {
  /** Results of the last scan, nearest first: valid up to its return value, until the next scan. */
  rows = new Uint32Array(0)
  /** In the metric: squared l2, 1 − cos, or −ip. */
  distances = new Float32Array(0)
  readonly dimensions: number
  readonly metric: Metric
  readonly capacity: number
  readonly #kernel = Kernel.create()
  readonly #stride: number
  readonly #block: Block<'ScanNearest'>
  readonly #keepsAt: number
  readonly #aliveAt: number
  readonly #queryAt: number
  readonly #bestAt: number
  /** The last allocation, so that it grows in its place. */
  readonly #rowsAt: number
  #room = 0
  #count = 0
  #aliveCount = 0

  /** @throws RangeError for a capacity that is no whole number; ShardloomError when there is no memory for it */
  constructor({ dimensions, metric, capacity }: ExactRowsShape) {
    if (!Number.isSafeInteger(capacity) || capacity < 0) throw new RangeError(`a capacity of ${capacity} rows`)
    this.dimensions = dimensions
    this.metric = metric
    this.capacity = capacity
    this.#stride = 16 * Math.ceil(dimensions / 4)
    const kernel = this.#kernel
    const bitsBytes = 4 * Math.ceil(capacity / 32)
    this.#aliveAt = kernel.allocZeroed(bitsBytes, ALIGN_BYTES)
    this.#keepsAt = kernel.alloc(bitsBytes, ALIGN_BYTES)
    this.#queryAt = kernel.alloc(4 * dimensions, ALIGN_BYTES)
    this.#bestAt = kernel.alloc(BEST_BYTES * capacity, ALIGN_BYTES)
    const group = kernel.alloc(GROUP_BYTES, ALIGN_BYTES)
    this.#block = placeBlock(kernel, SCAN_NEAREST, {
      rows: 0,
      stride: this.#stride,
      count: 0,
      dimensions,
      metric: metricNumber(metric),
      alive: this.#aliveAt,
      keeps: 0,
      query: this.#queryAt,
      k: 0,
      best: this.#bestAt,
      group,
    })
    this.#rowsAt = kernel.alloc(0, ALIGN_BYTES)
    setBlock(kernel, this.#block, SCAN_NEAREST, { rows: this.#rowsAt })
  }

  /** Rows appended so far, dead ones too. */
  get count(): number {
    return this.#count
  }
  get aliveCount(): number {
    return this.#aliveCount
  }
  /** Bytes of memory that it holds now, used or not. */
  get bytes(): number {
    return this.#kernel.heldBytes
  }

  /**
   * Adds vectors, one behind the other; of unit length for cosine. All of them or, when it throws, none. Returns the row
   * of the first.
   * @throws RangeError beyond the capacity; ShardloomError when the memory cannot grow
   */
  append(vectors: Float32Array): number {
    const { dimensions } = this
    const added = vectors.length / dimensions
    if (!Number.isInteger(added)) throw new RangeError(`${vectors.length} numbers are no rows of ${dimensions}`)
    const first = this.#count
    const end = first + added
    if (end > this.capacity) {
      throw new RangeError(`${added} rows more than ${first} are beyond the capacity of ${this.capacity}`)
    }
    if (end > this.#room) this.#makeRoom(end)
    copyRows(vectors, dimensions, this.#floats(first, end), this.#stride / 4)
    const alive = this.#alive()
    for (let row = first; row < end; row++) alive[row >>> 5] |= 1 << (row & 31)
    this.#count = end
    this.#aliveCount += added
    return first
  }

  /** Scans leave the row out from now on. False when they did before. @throws RangeError */
  kill(row: number): boolean {
    if (!this.isAlive(row)) return false
    this.#alive()[row >>> 5] &= ~(1 << (row & 31))
    this.#aliveCount--
    return true
  }

  /** @throws RangeError */
  isAlive(row: number): boolean {
    this.#checkRow(row)
    return (this.#alive()[row >>> 5] & (1 << (row & 31))) !== 0
  }

  /** A copy of a row, dead or alive. @throws RangeError */
  vectorOf(row: number): Float32Array {
    this.#checkRow(row)
    return this.vectors(row, row + 1)
  }

  /** A copy of the rows `from` to `to - 1`, dead ones too, row-major: in a buffer of its own. @throws RangeError */
  vectors(from: number, to: number): Float32Array {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.#count)) {
      throw new RangeError(`rows ${from} to ${to} of ${this.#count}`)
    }
    const copy = new Float32Array((to - from) * this.dimensions)
    copyRows(this.#floats(from, to), this.#stride / 4, copy, this.dimensions)
    return copy
  }

  /**
   * The nearest k alive rows of `query` (`dimensions` long; unit length for cosine), every one compared: fills `rows`
   * and `distances`, ascending, ties by lower row. Returns how many: less than k only when fewer count. `keeps`: a bit
   * for each row, in u32 words from the lowest bit on; rows without one are left out.
   * @throws RangeError when `query` or `keeps` is too short
   */
  scan(query: Float32Array, k: number, keeps?: Uint32Array): number {
    const words = Math.ceil(this.#count / 32)
    if (query.length !== this.dimensions) throw new RangeError(`a query of ${query.length} dimensions`)
    if (keeps !== undefined && keeps.length < words) {
      throw new RangeError(`${keeps.length} words of bits for ${this.#count} rows`)
    }
    const kernel = this.#kernel
    kernel.f32(this.#queryAt, query.length).set(query)
    if (keeps !== undefined) kernel.u32(this.#keepsAt, words).set(keeps.subarray(0, words))
    const room = Math.min(k, this.#aliveCount)
    setBlock(kernel, this.#block, SCAN_NEAREST, {
      count: this.#count,
      keeps: keeps === undefined ? 0 : this.#keepsAt,
      k: room,
    })
    const found = kernel.fn.scanNearest(this.#block)
    if (found > this.rows.length) {
      this.rows = new Uint32Array(found)
      this.distances = new Float32Array(found)
    }
    const best = kernel.u32(this.#bestAt, 2 * found)
    const floats = kernel.f32(this.#bestAt, 2 * found)
    for (let i = 0; i < found; i++) {
      this.rows[i] = best[2 * i]
      this.distances[i] = floats[2 * i + 1]
    }
    return found
  }

  /** Rows with their padding. Valid until the memory grows, as are the bits. */
  #floats(from: number, to: number): Float32Array {
    return this.#kernel.f32(this.#rowsAt + from * this.#stride, ((to - from) * this.#stride) / 4)
  }

  #alive(): Uint32Array {
    return this.#kernel.u32(this.#aliveAt, Math.ceil(this.capacity / 32))
  }

  #checkRow(row: number): void {
    if (!(Number.isInteger(row) && row >= 0 && row < this.#count)) {
      throw new RangeError(`there is no row ${row} of ${this.#count}`)
    }
  }

  #makeRoom(rows: number): void {
    const room = Math.min(this.capacity, Math.max(rows, 2 * this.#room, FIRST_ROWS))
    this.#kernel.alloc((room - this.#room) * this.#stride)
    this.#room = room
  }
}

/** Copies rows as wide as the narrower of the two. */
function copyRows(from: Float32Array, fromWidth: number, to: Float32Array, toWidth: number): void {
  if (fromWidth === toWidth) {
    to.set(from)
    return
  }
  const width = Math.min(fromWidth, toWidth)
  for (let a = 0, b = 0; a < from.length; a += fromWidth, b += toWidth) {
    for (let i = 0; i < width; i++) to[b + i] = from[a + i]
  }
}
