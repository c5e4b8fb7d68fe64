/** What the cells of an Arrow column hold, by its type, and how they are stored. Pure. */
import type { Cell, DateUnit } from '../fields/choose-type.js'
import type { FlatTable } from './flat-table.js'
import { arrowInteger, type ArrowInteger } from './arrow-columns.js'

/** Buffers of cells. fixed: so many bytes for each. */
export type ArrowStorage =
  | { readonly kind: 'text'; readonly offsetBytes: 4 | 8 }
  | { readonly kind: 'view' }
  | { readonly kind: 'bits' }
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'float'; readonly bytes: 2 | 4 | 8 }
  | ArrowInteger

export interface ArrowCells {
  readonly cell: Cell
  readonly storage: ArrowStorage
  /** Set when rows are lists of cells. `size` is the length of each, 0 for lists with offsets. */
  readonly list?: { readonly offsetBytes: 0 | 4 | 8; readonly size: number }
  /** Set when rows are numbers of values in the dictionary of this id. */
  readonly dictionary?: { readonly id: number; readonly index: ArrowInteger }
}

/** Numbers of the union Type in Arrow's Schema.fbs. */
const [INT, FLOAT, UTF8, BOOL, DECIMAL, DATE, TIMESTAMP, LIST] = [2, 3, 5, 6, 7, 8, 10, 12] as const
const [FIXED_BINARY, FIXED_LIST, LARGE_UTF8, LARGE_LIST, UTF8_VIEW] = [15, 16, 20, 21, 24] as const
const UUID_BYTES = 16
const MAX_SCALE = 76
const MAX_LIST = 1 << 20

/** Undefined for lists of lists, maps, structs, and types that no field can hold. */
export function arrowCells(field: FlatTable): ArrowCells | undefined {
  const encoding = field.table(4)
  const type = field.byte(2, 0)
  if (encoding !== undefined) {
    const indexType = encoding.table(1)
    const index = indexType === undefined ? INT32 : arrowInteger(indexType)
    const cells = cellsOf(type, field.table(3))
    return cells && index && { ...cells, dictionary: { id: encoding.int64(0), index } }
  }
  if (type !== LIST && type !== LARGE_LIST && type !== FIXED_LIST) return cellsOf(type, field.table(3))
  const [item, ...others] = field.tables(5)
  if (others.length > 0 || item === undefined || item.table(4) !== undefined) return undefined
  const cells = cellsOf(item.byte(2, 0), item.table(3))
  if (type !== FIXED_LIST) return cells && { ...cells, list: { offsetBytes: type === LIST ? 4 : 8, size: 0 } }
  const size = field.table(3)?.int32(0, 0) ?? 0
  return cells && size >= 1 && size <= MAX_LIST ? { ...cells, list: { offsetBytes: 0, size } } : undefined
}

/** Without a type the numbers of values are signed, of 32 bits. */
const INT32: ArrowInteger = { kind: 'integer', bytes: 4, signed: true }
const INT64: ArrowInteger = { kind: 'integer', bytes: 8, signed: true }

function cellsOf(type: number, of: FlatTable | undefined): ArrowCells | undefined {
  switch (type) {
    case UTF8:
    case LARGE_UTF8:
      return { cell: { kind: 'text' }, storage: { kind: 'text', offsetBytes: type === UTF8 ? 4 : 8 } }
    case UTF8_VIEW:
      return { cell: { kind: 'text' }, storage: { kind: 'view' } }
    case BOOL:
      return { cell: { kind: 'boolean' }, storage: { kind: 'bits' } }
    case INT: {
      const storage = arrowInteger(of)
      return storage && { cell: { kind: 'integer' }, storage }
    }
    case FLOAT: {
      const bytes = ([2, 4, 8] as const).at(of?.int16(0, 0) ?? 0)
      return bytes && { cell: { kind: 'float' }, storage: { kind: 'float', bytes } }
    }
    case FIXED_BINARY: {
      const storage = { kind: 'fixed', bytes: UUID_BYTES } as const
      return of?.int32(0, 0) === UUID_BYTES ? { cell: { kind: 'uuid' }, storage } : undefined
    }
    case DECIMAL: {
      const [scale, bits] = [of?.int32(1, 0) ?? 0, of?.int32(2, 128) ?? 128]
      const isRead = Math.abs(scale) <= MAX_SCALE && [32, 64, 128, 256].includes(bits)
      return isRead ? { cell: { kind: 'decimal', scale }, storage: { kind: 'fixed', bytes: bits / 8 } } : undefined
    }
    case DATE:
      // Days in 32 bits, or milliseconds, which is what absent means.
      return of?.int16(0, 1) === 0
        ? { cell: { kind: 'date', unit: 'days' }, storage: INT32 }
        : { cell: { kind: 'date', unit: 'ms' }, storage: INT64 }
    case TIMESTAMP: {
      const unit = UNITS.at(of?.int16(0, 0) ?? 0)
      return unit && { cell: { kind: 'date', unit }, storage: INT64 }
    }
    default:
      return undefined
  }
}

const UNITS: readonly DateUnit[] = ['s', 'ms', 'us', 'ns']
