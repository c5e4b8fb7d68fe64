/**
 * Rows of the first searches, side by side. A page is as long as the system's pages, and a search uses one or two rows
 * of it, so a first search would touch a page of new memory for nearly every vector, and for most of them that takes
 * longer than reading them. Rows that are kept side by side touch a tenth of it. They lie where the table's last pages
 * belong, so they take no memory of their own, and make room for those when they are full, or after a few searches.
 * Only for tables with room for all pages.
 */
import type { Kernel } from '../../../kernel/kernel.js'
import type { RowSource } from '../../rows/row-source.js'

/** Enough for the first handful of searches. */
const MOST_ROWS = 8192
/** Of all rows. */
const SHARE = 1 / 16
const SEARCHES = 16
const EMPTY = 0xffffffff

export class LooseRows {
  readonly #kernel: Kernel
  readonly #source: RowSource
  readonly #base: number
  readonly #room: number
  /** A hash table of nodes, linear probing, at most half full; beside each its place. */
  readonly #nodes: Uint32Array
  readonly #places: Uint32Array
  #held = 0
  #searches = 0

  /** `end`: where the memory of the table's rows ends. */
  constructor(kernel: Kernel, source: RowSource, end: number) {
    const { count, strideBytes } = source
    this.#kernel = kernel
    this.#source = source
    this.#room = Math.min(MOST_ROWS, Math.floor(count * SHARE))
    // Rows begin where rows of the table do: as they are aligned there.
    this.#base = end - this.#room * strideBytes
    const slots = 2 ** Math.ceil(Math.log2(2 * this.#room + 2))
    this.#nodes = new Uint32Array(slots).fill(EMPTY)
    this.#places = new Uint32Array(slots)
  }

  /** Whether a page that begins here, of `bytes`, would overwrite them. */
  overlap(address: number, bytes: number): boolean {
    return address + bytes > this.#base
  }

  /** Before each search: whether it may have loose rows. */
  nextSearch(): boolean {
    return this.#searches++ < SEARCHES && this.#held < this.#room
  }

  /** The address of a row, which is read if it is not here; 0 when there is no room. */
  addressOf(node: number): number {
    const { strideBytes } = this.#source
    const mask = this.#nodes.length - 1
    let slot = (Math.imul(node, 0x9e3779b1) >>> 7) & mask
    for (; this.#nodes[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.#nodes[slot] === node) return this.#base + this.#places[slot] * strideBytes
    }
    if (this.#held === this.#room) return 0
    const address = this.#base + this.#held * strideBytes
    this.#source.read(node, 1, this.#kernel.u8(address, strideBytes))
    this.#nodes[slot] = node
    this.#places[slot] = this.#held++
    return address
  }
}
