/** What the cells of a Parquet column hold, by its types. Pure. */
import type { SchemaElement } from 'hyparquet/src/types.js'
import type { Cell, DateUnit } from '../fields/choose-type.js'
import type { ColumnKind, ParquetColumn } from './parquet-footer.js'

export interface ParquetCells {
  /** How its values are decoded. */
  readonly kind: ColumnKind
  readonly cell: Cell
  readonly isList: boolean
}

const UUID_BYTES = 16
/** Wide enough for 76 digits, the most that any program writes. */
const MAX_DECIMAL_BYTES = 32
const MAX_SCALE = 76

/** Undefined for lists of lists, maps, lists of groups, and types that no field can hold. */
export function parquetCells({ physical, maxRepetition, single }: ParquetColumn): ParquetCells | undefined {
  if (maxRepetition > 1 || !single) return undefined
  const cells = cellsOf(physical)
  return cells && { ...cells, isList: maxRepetition === 1 }
}

function cellsOf(physical: SchemaElement): Omit<ParquetCells, 'isList'> | undefined {
  const { type } = physical
  switch (type) {
    case 'BOOLEAN':
      return { kind: 'bool', cell: { kind: 'boolean' } }
    case 'FLOAT':
      return { kind: 'f4', cell: { kind: 'float' } }
    case 'DOUBLE':
      return { kind: 'f8', cell: { kind: 'float' } }
    case 'INT96':
      return { kind: 'i12', cell: { kind: 'date', unit: 'ns' } }
    case 'INT32':
    case 'INT64': {
      const cell = integerCell(physical)
      return cell && { kind: type === 'INT32' ? 'i4' : 'i8', cell }
    }
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      return bytesCells(physical)
    default:
      return undefined
  }
}

function integerCell(physical: SchemaElement): Cell | undefined {
  const { logical_type: logical, converted_type: converted } = physical
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') return decimalCell(physical)
  if (logical?.type === 'DATE' || converted === 'DATE') return { kind: 'date', unit: 'days' }
  if (logical?.type === 'TIMESTAMP') return { kind: 'date', unit: UNITS[logical.unit] }
  if (converted === 'TIMESTAMP_MILLIS') return { kind: 'date', unit: 'ms' }
  if (converted === 'TIMESTAMP_MICROS') return { kind: 'date', unit: 'us' }
  if (logical?.type === 'INTEGER') return { kind: 'integer', isUnsigned: !logical.isSigned }
  if (converted?.startsWith('UINT_') === true) return { kind: 'integer', isUnsigned: true }
  // A time of the day is no date, and its integer means nothing by itself.
  const isPlain = (logical === undefined && converted === undefined) || converted?.startsWith('INT_') === true
  return isPlain ? { kind: 'integer', isUnsigned: false } : undefined
}

const UNITS: Readonly<Record<'MILLIS' | 'MICROS' | 'NANOS', DateUnit>> = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' }

function decimalCell({ logical_type: logical, scale: converted = 0 }: SchemaElement): Cell | undefined {
  const scale = logical?.type === 'DECIMAL' ? logical.scale : converted
  return scale >= 0 && scale <= MAX_SCALE ? { kind: 'decimal', scale } : undefined
}

function bytesCells(physical: SchemaElement): Omit<ParquetCells, 'isList'> | undefined {
  const { type, logical_type: logical, converted_type: converted, type_length: width = 0 } = physical
  const isFixed = type === 'FIXED_LEN_BYTE_ARRAY'
  const isBare = logical === undefined && converted === undefined
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') {
    const cell = decimalCell(physical)
    if (cell === undefined || !isFixed) return cell && { kind: 'text', cell }
    return width >= 1 && width <= MAX_DECIMAL_BYTES ? { kind: 'fixed', cell } : undefined
  }
  if (isFixed) {
    if (logical?.type === 'FLOAT16' && width === 2) return { kind: 'f2', cell: { kind: 'float' } }
    // Sixteen bytes without another meaning are taken for a UUID, as they are for ids.
    return width === UUID_BYTES && (isBare || logical?.type === 'UUID')
      ? { kind: 'uuid', cell: { kind: 'uuid' } }
      : undefined
  }
  if (logical?.type === 'JSON' || converted === 'JSON') return { kind: 'text', cell: { kind: 'json' } }
  const isText =
    isBare || ['STRING', 'ENUM'].includes(logical?.type ?? '') || ['UTF8', 'ENUM'].includes(converted ?? '')
  return isText ? { kind: 'text', cell: { kind: 'text' } } : undefined
}
