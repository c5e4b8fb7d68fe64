import { decodeValue } from '../../fields/decode-value.js'
import { FieldRowList } from '../../fields/field-row-list.js'
import { FieldRowReader } from '../../fields/field-row-reader.js'
import type { FieldRows } from '../../fields/field-rows.js'
import type { Field } from '../../fields/field.js'
import type { FilterNode } from '../../fields/filter-node.js'
import { compareText } from '../../fields/values/text-order.js'
import type { FacetCount } from '../fields/facets.js'
import { MemoryTextIndex } from '../fields/text/memory-text-index.js'
import { FieldScan } from './field-scan.js'

/** An inverted index, and how many rows are in it. */
interface Texts {
  readonly index: MemoryTextIndex
  rows: number
}

/** The fields of rows in memory, to which rows are appended. */
export class MemoryFields {
  readonly #fields: readonly Field[]
  readonly #rows = new FieldRowList()
  readonly #reader: FieldRowReader
  readonly #scan: FieldScan
  /** By field: made when words are first looked for. */
  readonly #texts = new Map<number, Texts>()

  constructor(fields: readonly Field[]) {
    this.#fields = fields
    this.#reader = new FieldRowReader(fields)
    this.#scan = new FieldScan(fields, this.#rows)
  }

  /** Of the encoded rows. */
  get size(): number {
    return this.#rows.size
  }

  get heldBytes(): number {
    return this.#rows.heldBytes
  }

  append(rows: FieldRows): void {
    this.#rows.addAll(rows)
  }

  /** Valid until rows are appended. */
  row(at: number): Uint8Array {
    return this.#rows.row(at)
  }

  /** A bit for each row that the filter keeps, valid until rows are appended. */
  select(filter: FilterNode): Uint32Array {
    return this.#scan.select(filter)
  }

  /** The inverted index of a text field, with all rows that have a text. */
  textOf(field: number): MemoryTextIndex {
    let texts = this.#texts.get(field)
    if (texts === undefined) this.#texts.set(field, (texts = { index: new MemoryTextIndex(), rows: 0 }))
    for (; texts.rows < this.#rows.count; texts.rows++) {
      const reader = this.#open(texts.rows)
      if (!reader.has(field)) continue
      texts.index.add(texts.rows, reader.bytes.subarray(reader.bytesFrom(field), reader.bytesTo(field)))
    }
    return texts.index
  }

  /**
   * How many rows of `bits`, or of all, have each value of a field, most first, equal counts by ascending values; of a
   * list, each of its distinct items.
   */
  facets(field: number, bits?: Uint32Array): FacetCount[] {
    const counts = new Map<FacetCount['value'], number>()
    for (let row = 0; row < this.#rows.count; row++) {
      if (bits !== undefined && ((bits[row >>> 5] >>> (row & 31)) & 1) === 0) continue
      for (const value of this.#valuesOf(field, row)) counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    const counted = Array.from(counts, ([value, count]) => ({ value, count }))
    return counted.sort((a, b) => b.count - a.count || compareValues(a.value, b.value))
  }

  #valuesOf(field: number, row: number): Iterable<FacetCount['value']> {
    const reader = this.#open(row)
    if (!reader.has(field)) return []
    const value = decodeValue(reader, field)
    switch (this.#fields[field].type) {
      case 'keyword[]':
      case 'number[]':
        return new Set(value as readonly (string | number)[])
      case 'date':
        return [Number(value)]
      default:
        return [value as FacetCount['value']]
    }
  }

  #open(row: number): FieldRowReader {
    this.#reader.open(this.#rows.bytes, this.#rows.start(row), this.#rows.start(row + 1))
    return this.#reader
  }
}

/** Values of one field. */
function compareValues(a: FacetCount['value'], b: FacetCount['value']): number {
  return typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : Number(a) - Number(b)
}
