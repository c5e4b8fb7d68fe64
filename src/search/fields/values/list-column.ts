import { CorruptIndexError } from '../../../errors.js'
import { itemsAt, itemsOfColumn, type ListType } from '../../../format/fields/column-layout.js'
import type { SegmentBlocks } from '../../../format/segment/segment-blocks.js'
import { wordsFor } from '../bits.js'
import type { Values, ValueKind } from './column-values.js'
import type { FieldMemory, Holdable } from '../field-memory.js'
import { PIECE_BYTES, readPiece, scratchOf } from '../read-piece.js'
import { keepRowsOfItems, keepRowsWithItems, type Piece } from '../scan-loops.js'

/** Offsets that are read at once. */
const PIECE_ROWS = PIECE_BYTES / 4 - 1
/** Items that are scanned at once: as many as the scratch memory holds. */
const PIECE_ITEMS = PIECE_BYTES / 8

/** One of each for the thread, as the scratch memory of values. */
const offsetsRead = new Uint32Array(PIECE_ROWS + 1)
const itemBits = new Uint32Array(wordsFor(PIECE_ITEMS))

/** Rows that follow each other: row `firstRow + i` has the items from `offsets[i]` up to `offsets[i + 1]`. */
export interface ListRows {
  readonly firstRow: number
  readonly rows: number
  readonly offsets: Uint32Array
}

/** Items that follow each other: `length` of them from place `at` on. */
export interface ListItems<V> {
  readonly values: V
  readonly at: number
  readonly length: number
  readonly firstItem: number
}

/** The column of a field with lists. */
export class ListColumn<V extends Values> implements Holdable {
  readonly count: number
  readonly heldBytes: number
  readonly #items: number
  readonly #file: SegmentBlocks
  readonly #kind: ValueKind<V>
  readonly #memory: FieldMemory
  #held: { readonly offsets: Uint32Array; readonly items: V } | undefined

  /** @throws CorruptIndexError when no column has the size of the file */
  constructor(file: SegmentBlocks, type: ListType, kind: ValueKind<V>, memory: FieldMemory) {
    this.count = file.header.count
    this.#items = itemsOfColumn(type, file.header, file.path)
    this.#file = file
    this.#kind = kind
    this.#memory = memory
    this.heldBytes = 4 * (this.count + 1) + kind.bytes * 32 * wordsFor(this.#items)
  }

  /** Sets the bits of the rows with an item that `match` sets a bit for. @throws CorruptIndexError */
  keep(match: (values: V, piece: Piece, itemBits: Uint32Array) => void, bits: Uint32Array): void {
    let row = 0
    let rowsOfRow: ListRows | undefined
    this.scan((rows, { values, at, length, firstItem }) => {
      if (rows !== rowsOfRow) row = 0
      rowsOfRow = rows
      const words = wordsFor(length)
      itemBits.fill(0, 0, words)
      match(values, { from: at, words, firstWord: 0 }, itemBits)
      row = keepRowsOfItems(itemBits, { words, firstItem, ...rows }, row, bits)
    })
  }

  /** Sets the bits of the rows that have an item. @throws CorruptIndexError */
  keepPresent(bits: Uint32Array): void {
    this.#eachRows(this.#hold(), ({ offsets, rows, firstRow }) => keepRowsWithItems(offsets, rows, firstRow, bits))
  }

  /** Visits all items, with the rows that they are of. @throws CorruptIndexError */
  scan(visit: (rows: ListRows, items: ListItems<V>) => void): void {
    const held = this.#hold()
    this.#eachRows(held, (rows) => {
      const end = rows.offsets[rows.rows]
      for (let item = rows.offsets[0]; item < end; item += PIECE_ITEMS) {
        const length = Math.min(PIECE_ITEMS, end - item)
        const values = held?.items ?? scratchOf(this.#kind)
        if (held === undefined) this.#readItems(values, 0, item, length)
        visit(rows, { values, at: held === undefined ? 0 : item, length, firstItem: item })
      }
    })
  }

  /** Visits the places of the items of the rows in `bits`, or of all. @throws CorruptIndexError */
  scanKept(bits: Uint32Array | undefined, visit: (values: V, at: number) => void): void {
    let row = 0
    let rowsOfRow: ListRows | undefined
    this.scan((rows, { values, at, length, firstItem }) => {
      if (rows !== rowsOfRow) row = 0
      rowsOfRow = rows
      for (let i = 0; i < length; i++) {
        while (rows.offsets[row + 1] <= firstItem + i) row++
        const node = rows.firstRow + row
        if (bits === undefined || (bits[node >>> 5] & (1 << (node & 31))) !== 0) visit(values, at + i)
      }
    })
  }

  drop(): void {
    this.#held = undefined
  }

  #hold(): { readonly offsets: Uint32Array; readonly items: V } | undefined {
    if (!this.#memory.holds(this)) return undefined
    if (this.#held !== undefined) return this.#held
    const offsets = new Uint32Array(this.count + 1)
    const items = this.#kind.make(32 * wordsFor(this.#items))
    this.#eachRows(undefined, (rows) => offsets.set(rows.offsets.subarray(0, rows.rows + 1), rows.firstRow))
    for (let item = 0; item < this.#items; item += PIECE_ITEMS) {
      this.#readItems(items, item, item, Math.min(PIECE_ITEMS, this.#items - item))
    }
    this.#held = { offsets, items }
    return this.#held
  }

  #eachRows(held: { readonly offsets: Uint32Array } | undefined, visit: (rows: ListRows) => void): void {
    if (held !== undefined) {
      visit({ firstRow: 0, rows: this.count, offsets: held.offsets })
      return
    }
    let end = 0
    for (let firstRow = 0; firstRow < this.count; firstRow += PIECE_ROWS) {
      const rows = Math.min(PIECE_ROWS, this.count - firstRow)
      const offsets = offsetsRead
      this.#file.read(4 * firstRow, new Uint8Array(offsets.buffer, 0, 4 * (rows + 1)))
      this.#checkOffsets(offsets, rows, firstRow, end)
      end = offsets[rows]
      visit({ firstRow, rows, offsets })
    }
    if (end !== this.#items) this.#fail(`the lists end at item ${end} of ${this.#items}`)
  }

  #checkOffsets(offsets: Uint32Array, rows: number, firstRow: number, start: number): void {
    if (offsets[0] !== start) this.#fail(`the list of row ${firstRow} begins at item ${offsets[0]}, not ${start}`)
    for (let i = 0; i < rows; i++) {
      if (offsets[i + 1] >= offsets[i] && offsets[i + 1] <= this.#items) continue
      this.#fail(`the list of row ${firstRow + i} is from item ${offsets[i]} to ${offsets[i + 1]} of ${this.#items}`)
    }
  }

  /** Reads items to place `at`, and pads the last word of bits. */
  #readItems(values: V, at: number, item: number, length: number): void {
    const place = { values, from: at, to: at + length }
    readPiece(this.#file, this.#kind, itemsAt(this.count) + this.#kind.bytes * item, place)
    values.fill(this.#kind.missing, at + length, at + 32 * wordsFor(length))
  }

  #fail(reason: string): never {
    throw new CorruptIndexError(this.#file.path, reason)
  }
}
