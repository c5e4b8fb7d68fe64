import { checkFixedColumn, zoneRows, zonesAt, type FixedType } from '../../../format/fields/column-layout.js'
import { emptyZones, type Zones } from '../../../format/fields/zone-maps.js'
import type { SegmentBlocks } from '../../../format/segment/segment-blocks.js'
import type { Values, ValueKind } from './column-values.js'
import type { FieldMemory, Holdable } from '../field-memory.js'
import { PIECE_BYTES, readPiece, scratchOf } from '../read-piece.js'
import type { Piece } from '../scan-loops.js'
import { wordsFor } from '../bits.js'

/** Zones that are read and scanned at once. */
const PIECE_ZONES = PIECE_BYTES / 16_384

/** The column of a field with one value, or one place, a row. Zones are read when a scan wants them. */
export class FixedColumn<V extends Values> implements Holdable {
  readonly count: number
  readonly heldBytes: number
  readonly #file: SegmentBlocks
  readonly #type: FixedType
  readonly #kind: ValueKind<V>
  readonly #memory: FieldMemory
  /** Numbers of a row. */
  readonly #width: number
  readonly #zoneRows: number
  readonly #zoneCount: number
  #zones: Zones | undefined
  #values: V | undefined
  /** By zone: 1 once it is in #values. */
  #isRead = new Uint8Array(0)

  /** @throws CorruptIndexError when the file has another size */
  constructor(file: SegmentBlocks, type: FixedType, kind: ValueKind<V>, memory: FieldMemory) {
    checkFixedColumn(type, file.header, file.path)
    this.#file = file
    this.#type = type
    this.#kind = kind
    this.#memory = memory
    this.count = file.header.count
    this.#width = type === 'geo' ? 2 : 1
    this.#zoneRows = zoneRows(type)
    this.#zoneCount = Math.ceil(this.count / this.#zoneRows)
    this.heldBytes = kind.bytes * this.#numbers
  }

  /** Smallest and largest values; none of booleans. @throws CorruptIndexError */
  get zones(): Zones {
    if (this.#zones === undefined) {
      if (this.#type === 'boolean') throw new TypeError('booleans have no zone maps')
      const zones = emptyZones(this.#type, this.count)
      const bytes = new Uint8Array(zones.buffer)
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        this.#file.read(zonesAt(this.#type, this.count) + at, bytes.subarray(at, at + PIECE_BYTES))
      }
      this.#zones = zones
    }
    return this.#zones
  }

  /**
   * Visits the values of the zones that are wanted (1), or of all. `piece.from` counts numbers. @throws CorruptIndexError
   */
  scan(wanted: Uint8Array | undefined, visit: (values: V, piece: Piece) => void): void {
    const held = this.#hold()
    for (let zone = 0, next = 0; zone < this.#zoneCount; zone = next) {
      next = zone + 1
      if (wanted?.[zone] === 0) continue
      while (next < this.#zoneCount && next - zone < PIECE_ZONES && wanted?.[next] !== 0) next++
      const row = zone * this.#zoneRows
      const rows = Math.min(this.count, next * this.#zoneRows) - row
      const values = held ?? scratchOf(this.#kind)
      const from = held === undefined ? 0 : row * this.#width
      if (held === undefined) this.#read(values, 0, row, rows)
      else this.#readHeld(held, zone, next)
      visit(values, { from, words: wordsFor(rows), firstWord: row >>> 5 })
    }
  }

  drop(): void {
    this.#values = undefined
  }

  /** With those that pad the last word of bits. */
  get #numbers(): number {
    return 32 * wordsFor(this.count) * this.#width
  }

  #hold(): V | undefined {
    if (!this.#memory.holds(this)) return undefined
    if (this.#values === undefined) {
      this.#values = this.#kind.make(this.#numbers)
      this.#isRead = new Uint8Array(this.#zoneCount)
    }
    return this.#values
  }

  #readHeld(values: V, zone: number, end: number): void {
    for (let from = zone, to = zone; from < end; from = to) {
      to = from + 1
      if (this.#isRead[from] === 1) continue
      while (to < end && this.#isRead[to] === 0) to++
      const row = from * this.#zoneRows
      this.#read(values, row * this.#width, row, Math.min(this.count, to * this.#zoneRows) - row)
      this.#isRead.fill(1, from, to)
    }
  }

  /** Reads rows to place `from`, and pads the last word of bits. */
  #read(values: V, from: number, row: number, rows: number): void {
    const to = from + rows * this.#width
    readPiece(this.#file, this.#kind, row * this.#width * this.#kind.bytes, { values, from, to })
    values.fill(this.#kind.missing, to, from + 32 * wordsFor(rows) * this.#width)
  }
}

/** Zones whose values from the smallest to the largest meet `low` to `high`, of the number at `number` of each row. */
export function zonesWithin(zones: Zones, low: number, high: number, { number = 0, width = 1 } = {}): Uint8Array {
  const wanted = new Uint8Array(zones.length / 2 / width)
  for (let zone = 0; zone < wanted.length; zone++) {
    const at = 2 * (zone * width + number)
    wanted[zone] = zones[at] <= high && zones[at + 1] >= low ? 1 : 0
  }
  return wanted
}
