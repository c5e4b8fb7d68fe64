import { CorruptIndexError } from '../errors.js'
import { idFingerprint } from '../format/ids/id-fingerprint.js'
import type { SegmentBlocks } from '../format/segment/segment-blocks.js'
import { ID_TABLE_STRIDE_BYTES } from '../format/segment/segment-header.js'
import type { Id } from '../api/vectors.js'
import type { NodeIds } from './node-ids.js'

/** From the caller's id to its node: a binary search in the id table's file, which is not held in memory. */
export class IdLookup {
  readonly #table: SegmentBlocks
  readonly #ids: NodeIds
  readonly #row = new Uint32Array(ID_TABLE_STRIDE_BYTES / 4)
  readonly #rowBytes = new Uint8Array(this.#row.buffer)
  readonly #print = new Uint32Array(3)

  constructor(table: SegmentBlocks, ids: NodeIds) {
    this.#table = table
    this.#ids = ids
  }

  /** Undefined when the index has no such id. @throws InvalidIdError, CorruptIndexError */
  nodeOf(id: Id): number | undefined {
    idFingerprint(id, this.#print, 0)
    const [high, low] = this.#print
    const rows = this.#table.header.count
    let from = 0
    let to = rows
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      const [rowHigh, rowLow] = this.#read(middle)
      if (rowHigh < high || (rowHigh === high && rowLow < low)) from = middle + 1
      else to = middle
    }
    // Two ids may have the same hash: one pair in 10^19.
    for (; from < rows; from++) {
      const [rowHigh, rowLow, node] = this.#read(from)
      if (rowHigh !== high || rowLow !== low) return undefined
      if (node >= rows) throw new CorruptIndexError(this.#table.path, `row ${from} names node ${node} of ${rows}`)
      if (this.#ids.idOf(node) === id) return node
    }
    return undefined
  }

  #read(row: number): Uint32Array {
    this.#table.read(row * ID_TABLE_STRIDE_BYTES, this.#rowBytes)
    return this.#row
  }
}
