/** The columns of an Arrow schema: their types, and their buffers in a record batch. */
import type { TableColumn } from '../tables/choose-columns.js'
import type { FlatTable } from './flat-table.js'
import { VALUE_TYPES, type ValueType } from '../rows/value-type.js'

const MAX_FIELDS = 20_000
const MAX_DEPTH = 50

/** Numbers of the union Type in Arrow's Schema.fbs. */
const [NULL, INT, FLOAT, UTF8, LIST, STRUCT, UNION, FIXED_BINARY, FIXED_LIST] = [1, 2, 3, 5, 12, 13, 14, 15, 16]
const [LARGE_UTF8, LARGE_LIST, RUN_END, BINARY_VIEW, UTF8_VIEW, LIST_VIEW, LARGE_LIST_VIEW] = [
  20, 21, 22, 23, 24, 25, 26,
]
const TYPE_NAMES = ['none', 'null', 'int', 'float', 'binary', 'text', 'bool', 'decimal', 'date', 'time', 'timestamp',
  'interval', 'list', 'struct', 'union', 'fixed size binary', 'fixed size list', 'map', 'duration', 'large binary',
  'large text', 'large list', 'run ends', 'binary view', 'text view', 'list view', 'large list view'] // prettier-ignore
/** Buffers besides validity; 1 for types not listed. */
const DATA_BUFFERS: ReadonlyMap<number, number> = new Map([
  [4, 2], [UTF8, 2], [19, 2], [LARGE_UTF8, 2], [STRUCT, 0], [FIXED_LIST, 0], [LIST_VIEW, 2], [LARGE_LIST_VIEW, 2],
]) // prettier-ignore

export interface ArrowList {
  readonly kind: 'list'
  readonly values: ValueType
  /** Length of each list; 0 for lists with offsets. */
  readonly size: number
  readonly offsetBytes: 0 | 4 | 8
}

export interface ArrowInteger {
  readonly kind: 'integer'
  readonly bytes: 1 | 2 | 4 | 8
  readonly signed: boolean
}

export type ArrowPlainIds =
  | { readonly kind: 'text'; readonly offsetBytes: 4 | 8 }
  | { readonly kind: 'view' }
  | { readonly kind: 'uuid' }
  | ArrowInteger

/** Rows are numbers of values in the dictionary of this id. */
export interface ArrowDictionaryIds {
  readonly kind: 'dictionary'
  readonly id: number
  readonly index: ArrowInteger
  readonly values: ArrowPlainIds
}

export type ArrowIds = ArrowPlainIds | ArrowDictionaryIds

/** Where the buffers of a column are. */
export interface ArrowPlace {
  readonly name: string
  /** Indexes of its first node and first buffer in a record batch, without the data buffers of views. */
  readonly node: number
  readonly buffer: number
  /** Columns of views before it: each batch says how many data buffers each of them has. */
  readonly views: number
}

export interface ArrowColumn extends TableColumn, ArrowPlace {
  readonly shape: ArrowList | ArrowIds | undefined
}

/** Is given each field of the schema, with its place and the names of the structs that it is in. */
type Visit = (field: FlatTable, place: Omit<ArrowPlace, 'name'>, within: readonly ArrowPlace[]) => void

/** @throws RangeError when the schema is damaged */
export function arrowColumns(schema: FlatTable, version: number): ArrowColumn[] {
  const columns: ArrowColumn[] = []
  eachArrowField(schema, version, (field, place, within) => {
    if (within.length === 0) columns.push({ ...columnOf(field), ...place })
  })
  return columns
}

/** Visits columns and the parts of structs, not what is inside of lists. @throws RangeError when the schema is damaged */
export function eachArrowField(schema: FlatTable, version: number, visit: Visit): void {
  let fieldCount = 0
  let node = 0
  let buffer = 0
  let views = 0

  const walk = (field: FlatTable, within: readonly ArrowPlace[] | undefined, depth: number): void => {
    if (++fieldCount > MAX_FIELDS || depth > MAX_DEPTH) throw new RangeError('the schema is too large')
    const type = field.byte(2, 0)
    const isDictionary = field.table(4) !== undefined
    const place = { node, buffer, views }
    if (within !== undefined) visit(field, place, within)
    node++
    buffer += bufferCount(type, isDictionary, field, version)
    if (!isDictionary && (type === BINARY_VIEW || type === UTF8_VIEW)) views++
    if (isDictionary) return
    const inner = within !== undefined && type === STRUCT ? [...within, { name: field.text(0), ...place }] : undefined
    for (const child of field.tables(5)) walk(child, inner, depth + 1)
  }

  for (const field of schema.tables(1)) walk(field, [], 0)
}

function bufferCount(type: number, isDictionary: boolean, field: FlatTable, version: number): number {
  if (isDictionary) return 2
  if (type === NULL || type === RUN_END) return 0
  if (type === UNION) return (field.table(3)?.int16(0, 0) === 1 ? 2 : 1) + (version < 4 ? 1 : 0)
  return 1 + (DATA_BUFFERS.get(type) ?? 1)
}

function columnOf(field: FlatTable): Omit<ArrowColumn, 'node' | 'buffer' | 'views'> {
  const type = field.byte(2, 0)
  const encoding = field.table(4)
  const shape =
    encoding === undefined ? (listOf(field, type) ?? idsOf(field, type)) : inDictionary(field, type, encoding)
  return {
    name: field.text(0),
    type: arrowTypeName(field),
    use: shape === undefined ? 'none' : shape.kind === 'list' ? listUse(field) : 'id',
    shape,
  }
}

/** What messages call its type. */
export function arrowTypeName(field: FlatTable): string {
  const type = field.byte(2, 0)
  const inner = type === LIST || type === LARGE_LIST || type === FIXED_LIST ? `s of ${innerName(field)}` : ''
  const encoded = field.table(4) === undefined ? '' : ' in a dictionary'
  return `${TYPE_NAMES[type] ?? `type ${type}`}${inner}${encoded}`
}

function innerName(field: FlatTable): string {
  const type = field.tables(5).at(0)?.byte(2, 0) ?? 0
  return TYPE_NAMES[type] ?? `type ${type}`
}

function listUse(field: FlatTable): 'vector' | 'byte vector' {
  return field.tables(5)[0].byte(2, 0) === FLOAT ? 'vector' : 'byte vector'
}

const FLOATS: readonly (ValueType | undefined)[] = [VALUE_TYPES.f2, VALUE_TYPES.f4, VALUE_TYPES.f8]

function listOf(field: FlatTable, type: number): ArrowList | undefined {
  if (type !== LIST && type !== LARGE_LIST && type !== FIXED_LIST) return undefined
  const children = field.tables(5)
  const values = children.length === 1 ? valuesOf(children[0]) : undefined
  if (values === undefined) return undefined
  if (type === FIXED_LIST) return { kind: 'list', values, size: field.table(3)?.int32(0, 0) ?? 0, offsetBytes: 0 }
  return { kind: 'list', values, size: 0, offsetBytes: type === LIST ? 4 : 8 }
}

function valuesOf(child: FlatTable): ValueType | undefined {
  if (child.table(4) !== undefined) return undefined
  const type = child.byte(2, 0)
  if (type === FLOAT) return FLOATS[child.table(3)?.int16(0, 0) ?? 0]
  const integer = type === INT ? arrowInteger(child.table(3)) : undefined
  return integer?.bytes === 1 ? VALUE_TYPES[integer.signed ? 'i1' : 'u1'] : undefined
}

function idsOf(field: FlatTable, type: number): ArrowPlainIds | undefined {
  if (type === UTF8 || type === LARGE_UTF8) return { kind: 'text', offsetBytes: type === UTF8 ? 4 : 8 }
  if (type === UTF8_VIEW) return { kind: 'view' }
  if (type === FIXED_BINARY) return field.table(3)?.int32(0, 0) === 16 ? { kind: 'uuid' } : undefined
  return type === INT ? arrowInteger(field.table(3)) : undefined
}

export function arrowInteger(type: FlatTable | undefined): ArrowInteger | undefined {
  const bytes = (type?.int32(0, 0) ?? 0) / 8
  if (bytes !== 1 && bytes !== 2 && bytes !== 4 && bytes !== 8) return undefined
  return { kind: 'integer', bytes, signed: type?.byte(1, 0) === 1 }
}

function inDictionary(field: FlatTable, type: number, encoding: FlatTable): ArrowDictionaryIds | undefined {
  const values = idsOf(field, type)
  const indexType = encoding.table(1)
  // Without a type indexes are signed, of 32 bits.
  const index = indexType === undefined ? INT32 : arrowInteger(indexType)
  if (values === undefined || index === undefined) return undefined
  return { kind: 'dictionary', id: encoding.int64(0), index, values }
}

const INT32: ArrowInteger = { kind: 'integer', bytes: 4, signed: true }
