/** Compares the column of one field with the rows that it was made from, row by row. */
import type { Field } from '../../fields/field.js'
import type { FieldRowReader } from '../../fields/field-row-reader.js'
import { compareText } from '../../fields/values/text-order.js'
import {
  checkFixedColumn,
  FIXED_STRIDE_BYTES,
  ITEM_BYTES,
  itemsAt,
  itemsOfColumn,
  MISSING_BOOLEAN,
  MISSING_CODE,
  zonesAt,
  type FixedType,
  type ListType,
} from '../fields/column-layout.js'
import { addToZones, emptyZones, type ZonedType, type Zones } from '../fields/zone-maps.js'
import type { SegmentBlocks } from '../segment/segment-blocks.js'
import { DataWindow } from './data-window.js'
import type { DictionaryCheck } from './dictionary-check.js'

/** The column of one field, checked front to back. */
export interface ColumnCheck {
  /** What is wrong with the next row; undefined when nothing is. @throws CorruptIndexError */
  next(row: FieldRowReader): string | undefined
  /** What is wrong with the rest; after the last row. @throws CorruptIndexError */
  end(): string | undefined
}

/** Values of a fixed stride, and their zone maps. */
export class FixedCheck implements ColumnCheck {
  readonly #type: FixedType
  readonly #field: number
  readonly #count: number
  readonly #window: DataWindow
  readonly #dictionary: DictionaryCheck | undefined
  readonly #zones: Zones | undefined
  readonly #values: Uint32Array | Float64Array
  #row = 0

  /** @throws CorruptIndexError when the file has another size */
  constructor(blocks: SegmentBlocks, field: number, type: FixedType, dictionary?: DictionaryCheck) {
    checkFixedColumn(type, blocks.header, blocks.path)
    this.#type = type
    this.#field = field
    this.#count = blocks.header.count
    this.#window = new DataWindow(blocks)
    this.#dictionary = dictionary
    this.#zones = type === 'boolean' ? undefined : emptyZones(type, this.#count)
    this.#values = type === 'keyword' ? new Uint32Array(1) : new Float64Array(type === 'geo' ? 2 : 1)
  }

  next(row: FieldRowReader): string | undefined {
    const at = FIXED_STRIDE_BYTES[this.#type] * this.#row
    const problem = this.#problem(row, at)
    if (this.#zones !== undefined) addToZones(this.#zones, this.#type as ZonedType, this.#row, this.#values)
    this.#row++
    return problem
  }

  end(): string | undefined {
    const zones = this.#zones
    if (zones === undefined) return undefined
    const bytes = zones.BYTES_PER_ELEMENT
    for (let i = 0; i < zones.length; i++) {
      const at = zonesAt(this.#type, this.#count) + bytes * i
      const stored = bytes === 4 ? this.#window.u32(at) : this.#window.f64(at)
      if (!Object.is(stored, zones[i])) return `number ${i} of the zone maps is ${stored}, not ${zones[i]}`
    }
    return undefined
  }

  #problem(row: FieldRowReader, at: number): string | undefined {
    const field = this.#field
    switch (this.#type) {
      case 'keyword':
        return this.#keywordProblem(row, at)
      case 'boolean':
        return differs(this.#window.u8(at), row.has(field) ? row.number(field) : MISSING_BOOLEAN)
      case 'geo':
        this.#values[0] = this.#window.f64(at)
        this.#values[1] = this.#window.f64(at + 8)
        return differs(this.#values[0], row.lat(field)) ?? differs(this.#values[1], row.lon(field))
      default:
        this.#values[0] = this.#window.f64(at)
        return differs(this.#values[0], row.number(field))
    }
  }

  #keywordProblem(row: FieldRowReader, at: number): string | undefined {
    const code = (this.#values[0] = this.#window.u32(at))
    if (code === MISSING_CODE) return row.has(this.#field) ? 'has no value in the column' : undefined
    const text = this.#dictionary?.textOf(code)
    if (text === undefined) return `has code ${code} of ${this.#dictionary?.size ?? 0} in the column`
    return text === itemText(row, this.#field, 0) && row.has(this.#field)
      ? undefined
      : `has another value in the column`
  }
}

/** Lists: the distinct items of a row, ascending. */
export class ListCheck implements ColumnCheck {
  readonly #type: ListType
  readonly #field: number
  readonly #count: number
  readonly #items: number
  readonly #offsets: DataWindow
  readonly #values: DataWindow
  readonly #dictionary: DictionaryCheck | undefined
  #row = 0
  #end = 0

  /** @throws CorruptIndexError when no column has the size of the file */
  constructor(blocks: SegmentBlocks, field: number, type: ListType, dictionary?: DictionaryCheck) {
    this.#type = type
    this.#field = field
    this.#count = blocks.header.count
    this.#items = itemsOfColumn(type, blocks.header, blocks.path)
    this.#offsets = new DataWindow(blocks)
    this.#values = new DataWindow(blocks)
    this.#dictionary = dictionary
  }

  next(row: FieldRowReader): string | undefined {
    const [from, to] = [this.#offsets.u32(4 * this.#row), this.#offsets.u32(4 * this.#row + 4)]
    this.#row++
    const expected = this.#end
    if (from !== expected || to < from || to > this.#items) return `has items ${from} to ${to} of ${this.#items}`
    this.#end = to
    const items = this.#type === 'keyword[]' ? textsOf(row, this.#field) : numbersOf(row, this.#field)
    if (items.length !== to - from) return `has ${to - from} items in the column, not ${items.length}`
    for (let i = 0; i < items.length; i++) {
      if (this.#item(from + i) !== items[i]) return `has another item ${i} in the column`
    }
    return undefined
  }

  end(): string | undefined {
    return this.#end === this.#items ? undefined : `the lists end at item ${this.#end} of ${this.#items}`
  }

  #item(item: number): string | number | undefined {
    const at = itemsAt(this.#count) + ITEM_BYTES[this.#type] * item
    return this.#type === 'keyword[]' ? this.#dictionary?.textOf(this.#values.u32(at)) : this.#values.f64(at)
  }
}

/** The check of a field that has a column of values; undefined for one without. @throws CorruptIndexError */
export function columnCheckOf(
  { type }: Field,
  field: number,
  blocks: SegmentBlocks,
  dictionary: DictionaryCheck | undefined,
): ColumnCheck | undefined {
  if (type === 'text' || type === 'stored') return undefined
  return type === 'keyword[]' || type === 'number[]'
    ? new ListCheck(blocks, field, type, dictionary)
    : new FixedCheck(blocks, field, type, dictionary)
}

function differs(stored: number, expected: number): string | undefined {
  return Object.is(stored, expected) ? undefined : `has ${stored} in the column, not ${expected}`
}

function itemText(row: FieldRowReader, field: number, item: number): string {
  const { buffer, byteOffset } = row.bytes
  const from = row.itemFrom(field, item)
  return Buffer.from(buffer, byteOffset + from, row.itemTo(field, item) - from).toString('utf8')
}

function textsOf(row: FieldRowReader, field: number): string[] {
  const texts = new Set<string>()
  for (let item = 0; item < row.items(field); item++) texts.add(itemText(row, field, item))
  return [...texts].sort(compareText)
}

function numbersOf(row: FieldRowReader, field: number): number[] {
  const numbers = new Set<number>()
  for (let item = 0; item < row.items(field); item++) numbers.add(row.itemNumber(field, item))
  return [...numbers].sort((a, b) => a - b)
}
