import { CorruptIndexError } from '../../errors.js'
import { ID_TABLE_STRIDE_BYTES } from '../../format/segment/segment-file.js'
import { idFingerprint } from '../../format/ids/id-fingerprint.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import type { Id } from '../../api/vectors.js'
import { IdFilter } from './id-filter.js'
import { IdTableWindow } from './id-table-window.js'
import type { NodeIds } from './node-ids.js'

/** A table of 2M ids. */
const HELD_BYTES = 32 * 2 ** 20

/** From the caller's id to its nodes, by the id table's file, which is not held in memory. */
export class IdLookup {
  readonly #table: SegmentBlocks
  #window: IdTableWindow
  #isHeld = false
  readonly #ids: NodeIds
  readonly #print = new Uint32Array(3)
  #filter: IdFilter | undefined

  constructor(table: SegmentBlocks, ids: NodeIds) {
    this.#table = table
    this.#window = new IdTableWindow(table)
    this.#ids = ids
  }

  /** Holds a small table in memory: a lookup takes 1 µs, not 8. @throws CorruptIndexError */
  hold(): void {
    const { count } = this.#table.header
    if (this.#isHeld || count * ID_TABLE_STRIDE_BYTES > HELD_BYTES) return
    this.#window = new IdTableWindow(this.#table, count)
    this.#isHeld = true
  }

  /**
   * Makes a filter of a table that is too large to hold (`IdFilter.bytesFor` of the count), in one pass over it: from then
   * on nearly all ids that the index does not have cost no reads. @throws CorruptIndexError
   */
  async loadFilter(): Promise<void> {
    if (!this.#isHeld) this.#filter ??= await IdFilter.of(this.#table)
  }

  /** The lowest node with this id; undefined when there is none. @throws InvalidIdError, CorruptIndexError */
  nodeOf(id: Id): number | undefined {
    for (const node of this.#nodesOf(id)) return node
    return undefined
  }

  /** All nodes with this id, ascending. @throws InvalidIdError, CorruptIndexError */
  nodesOf(id: Id): number[] {
    return [...this.#nodesOf(id)]
  }

  *#nodesOf(id: Id): Generator<number> {
    idFingerprint(id, this.#print, 0)
    const [high, low] = this.#print
    if (this.#filter?.mayHave(high, low) === false) return
    // Two ids may have the same hash: one pair in 10^19.
    for (let row = this.#window.firstRowOf(high, low); ; row++) {
      const node = this.#window.nodeAt(row, high, low)
      if (node === undefined) return
      const { count } = this.#table.header
      if (node >= count) throw new CorruptIndexError(this.#table.path, `row ${row} names node ${node} of ${count}`)
      if (this.#ids.idOf(node) === id) yield node
    }
  }
}
