import { FieldRowReader } from '../../fields/field-row-reader.js'
import { MAX_FIELD_ROW_BYTES } from '../../fields/encode-value.js'
import type { Field } from '../../fields/field.js'
import { CorruptIndexError } from '../../errors.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import { messageOf } from '../../runtime/realms.js'
import { segmentOf } from '../core/segment-rows.js'
import { PIECE_BYTES } from './read-piece.js'

/** Rows whose offsets are read at once. */
const PIECE_ROWS = 4096

/** The encoded fields of single records, from the segments of fields. */
export class RowsFile {
  readonly #segments: readonly SegmentBlocks[]
  readonly #reader: FieldRowReader
  readonly #offsets = new Uint32Array(2)
  readonly #offsetBytes = new Uint8Array(this.#offsets.buffer)
  #row = new Uint8Array(1024)

  /** `segments` cover all nodes, in any order. */
  constructor(fields: readonly Field[], segments: readonly SegmentBlocks[]) {
    this.#segments = segments.toSorted((a, b) => a.header.firstNode - b.header.firstNode)
    this.#reader = new FieldRowReader(fields)
  }

  /** A view that is valid until the next call. @throws CorruptIndexError */
  row(node: number): Uint8Array {
    const segment = this.#segments[segmentOf(this.#segments, node)]
    segment.read(4 * (node - segment.header.firstNode), this.#offsetBytes)
    return this.#read(segment, node, this.#offsets[0], this.#offsets[1])
  }

  /** The row, open in a reader that is valid until the next call. @throws CorruptIndexError */
  reader(node: number): FieldRowReader {
    const row = this.row(node)
    try {
      this.#reader.open(row, 0, row.length)
    } catch (error) {
      const segment = this.#segments[segmentOf(this.#segments, node)]
      throw new CorruptIndexError(segment.path, `node ${node}: ${messageOf(error)}`)
    }
    return this.#reader
  }

  /** Sets the bits of the rows that have a value of the field. Reads all rows. @throws CorruptIndexError */
  keepPresent(field: number, bits: Uint32Array): void {
    const mask = 1 << (field & 7)
    for (const segment of this.#segments) {
      eachPresenceByte(segment, field >> 3, (row, byte) => {
        const node = segment.header.firstNode + row
        if ((byte & mask) !== 0) bits[node >>> 5] |= 1 << (node & 31)
      })
    }
  }

  #read(segment: SegmentBlocks, node: number, from: number, to: number): Uint8Array {
    const rowsAt = 4 * (segment.header.count + 1)
    const length = to - from
    if (!(length > 0 && length <= MAX_FIELD_ROW_BYTES && rowsAt + to <= segment.header.dataBytes)) {
      throw new CorruptIndexError(segment.path, `the fields of node ${node} lie at bytes ${from} to ${to}`)
    }
    if (length > this.#row.length) this.#row = new Uint8Array(2 * length)
    const row = this.#row.subarray(0, length)
    segment.read(rowsAt + from, row)
    return row
  }
}

/** Visits one of the bytes with which rows begin, of each row of a segment. @throws CorruptIndexError */
function eachPresenceByte(segment: SegmentBlocks, at: number, visit: (row: number, byte: number) => void): void {
  const { count, dataBytes } = segment.header
  const rowsAt = 4 * (count + 1)
  const offsets = new Uint32Array(PIECE_ROWS + 1)
  const window = new Uint8Array(PIECE_BYTES)
  let [windowFrom, windowTo] = [0, 0]
  for (let first = 0; first < count; first += PIECE_ROWS) {
    const rows = Math.min(PIECE_ROWS, count - first)
    segment.read(4 * first, new Uint8Array(offsets.buffer, 0, 4 * (rows + 1)))
    for (let i = 0; i < rows; i++) {
      const byteAt = rowsAt + offsets[i] + at
      if (byteAt >= rowsAt + offsets[i + 1] || rowsAt + offsets[i + 1] > dataBytes) {
        throw new CorruptIndexError(segment.path, `row ${first + i} lies at bytes ${offsets[i]} to ${offsets[i + 1]}`)
      }
      if (byteAt < windowFrom || byteAt >= windowTo) {
        windowFrom = byteAt
        windowTo = Math.min(byteAt + PIECE_BYTES, dataBytes)
        segment.read(windowFrom, window.subarray(0, windowTo - windowFrom))
      }
      visit(first + i, window[byteAt - windowFrom])
    }
  }
}
