/**
 * Where things lie in the data of a column. A column has the values of one field by node.
 *
 * Of fixed stride (keyword, number, date, boolean, geo): count values, then zone maps: the smallest and the largest
 * value of each zone, 16 KiB of values. Of lists: count + 1 u32 offsets, then the items.
 */
import type { FieldType } from '../../api/fields.js'
import { CorruptIndexError } from '../../errors.js'
import { SEGMENT_BLOCK_BYTES, type SegmentHeader } from '../segment/segment-header.js'

/** The code of a keyword that is missing; dictionaries have at most as many values. */
export const MISSING_CODE = 0xffffffff
/** A boolean that is missing. */
export const MISSING_BOOLEAN = 255
/** Most items of the lists of a field. */
export const MOST_ITEMS = 0xffffffff

/** Types that have a column of values. */
export type ColumnType = Exclude<FieldType, 'text' | 'stored'>
export type ListType = 'keyword[]' | 'number[]'
export type FixedType = Exclude<ColumnType, ListType>

export function hasValueColumn(type: FieldType): type is ColumnType {
  return type !== 'text' && type !== 'stored'
}

export function isListType(type: FieldType): type is ListType {
  return type === 'keyword[]' || type === 'number[]'
}

export function hasDictionary(type: FieldType): type is 'keyword' | 'keyword[]' {
  return type === 'keyword' || type === 'keyword[]'
}

export const FIXED_STRIDE_BYTES: Readonly<Record<FixedType, number>> = {
  keyword: 4,
  number: 8,
  date: 8,
  boolean: 1,
  geo: 16,
}

export const ITEM_BYTES: Readonly<Record<ListType, number>> = { 'keyword[]': 4, 'number[]': 8 }

/** Of a zone: a smallest and a largest value for each number of a row. Booleans have none. */
const ZONE_BYTES: Readonly<Record<FixedType, number>> = { keyword: 8, number: 16, date: 16, boolean: 0, geo: 32 }

/** Rows of a zone; the last one may be shorter. Their values are one block under a checksum. */
export const zoneRows = (type: FixedType): number => SEGMENT_BLOCK_BYTES / FIXED_STRIDE_BYTES[type]

export const zoneCount = (type: FixedType, count: number): number =>
  type === 'boolean' ? 0 : Math.ceil(count / zoneRows(type))

/** Where the zone maps begin. */
export const zonesAt = (type: FixedType, count: number): number => FIXED_STRIDE_BYTES[type] * count

export const fixedColumnBytes = (type: FixedType, count: number): number =>
  zonesAt(type, count) + ZONE_BYTES[type] * zoneCount(type, count)

/** Where the items of lists begin. */
export const itemsAt = (count: number): number => 4 * (count + 1)

export const listColumnBytes = (type: ListType, count: number, items: number): number =>
  itemsAt(count) + ITEM_BYTES[type] * items

/** Items of a column of lists, from the size of its data. @throws CorruptIndexError when no column has that size */
export function itemsOfColumn(type: ListType, { count, dataBytes }: SegmentHeader, path: string): number {
  const items = (dataBytes - itemsAt(count)) / ITEM_BYTES[type]
  if (items >= 0 && Number.isInteger(items) && items <= MOST_ITEMS) return items
  throw new CorruptIndexError(path, `${dataBytes} bytes of data are no column of ${count} lists`)
}

/** @throws CorruptIndexError when a column of this type has another size */
export function checkFixedColumn(type: FixedType, { count, dataBytes }: SegmentHeader, path: string): void {
  const expected = fixedColumnBytes(type, count)
  if (dataBytes === expected) return
  throw new CorruptIndexError(path, `a ${type} column of ${count} rows has ${expected} bytes of data, not ${dataBytes}`)
}
