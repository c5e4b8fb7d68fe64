/** Which type of field a column can be. Pure: takes what the table says of its columns, returns a type or a reason. */
import type { FieldType } from '../../api/fields.js'
import { nearestName } from '../../wording/near-name.js'
import type { WantedField } from './wanted-fields.js'

/** What a cell of a table holds, or each item of its lists. json: text that is JSON. decimal: digits and a scale. */
export type CellKind = 'text' | 'json' | 'uuid' | 'integer' | 'float' | 'decimal' | 'boolean' | 'date'

export type DateUnit = 'days' | 's' | 'ms' | 'us' | 'ns'

export interface Cell {
  readonly kind: CellKind
  /** Integers that are stored in the signed form of the same width. */
  readonly isUnsigned?: boolean
  /** Digits after the point of a decimal. */
  readonly scale?: number
  /** What a date counts, from 1970 on. */
  readonly unit?: DateUnit
}

/** A column of a table; `type` is the table's word for what it holds. */
export interface ColumnFound {
  readonly name: string
  readonly type: string
  /** Undefined: no field can hold it. */
  readonly cell: Cell | undefined
  readonly isList: boolean
}

/** The first type of each is the one that is taken where the caller gives none. */
const TYPES: Readonly<Record<CellKind, readonly FieldType[]>> = {
  text: ['keyword', 'text', 'date', 'keyword[]', 'stored'],
  json: ['stored', 'keyword', 'text', 'keyword[]', 'number[]', 'geo'],
  uuid: ['keyword', 'text', 'stored'],
  integer: ['number', 'keyword', 'date', 'stored'],
  float: ['number', 'keyword', 'stored'],
  decimal: ['number', 'keyword', 'stored'],
  boolean: ['boolean', 'keyword', 'stored'],
  date: ['date', 'keyword', 'stored'],
}

const LIST_TYPES: Readonly<Record<CellKind, readonly FieldType[]>> = {
  text: ['keyword[]', 'stored'],
  json: ['stored', 'keyword[]'],
  uuid: ['keyword[]', 'stored'],
  integer: ['number[]', 'keyword[]', 'stored'],
  float: ['number[]', 'stored'],
  decimal: ['number[]', 'keyword[]', 'stored'],
  boolean: ['stored', 'keyword[]'],
  date: ['stored', 'keyword[]'],
}

const MAX_LISTED = 20
/** Longer names are of no field. */
export const MAX_NAME = 200

/** The type of the field, or a reason as text. */
export function chooseType(
  { name, type: wanted }: WantedField,
  column: ColumnFound,
): { readonly type: FieldType } | string {
  const { type, cell, isList } = column
  const what = `its column ${JSON.stringify(name)} is ${type}`
  if (cell === undefined) return `${what}, which no field can hold; write it as text or JSON text, or leave it out`
  const types = (isList ? LIST_TYPES : TYPES)[cell.kind]
  if (wanted === undefined) return { type: types[0] }
  if (types.includes(wanted)) return { type: wanted }
  return `${what}, which can be a field of type ${types.join(', ')}, not ${wanted}`
}

const MAX_COMPARED = 1_000

/** The column that was likely meant. */
export function nearColumn(name: string, columns: readonly { readonly name: string }[]): string | undefined {
  const names = columns.slice(0, MAX_COMPARED).map((column) => column.name.slice(0, MAX_NAME))
  return nearestName(name, names)
}

/** Why there is no column of that name, with the name that was likely meant. */
export function noColumn(name: string, columns: readonly { readonly name: string }[], what = 'column'): string {
  const names = columns.map((column) => column.name)
  const parts = names.filter((one) => one.startsWith(`${name}.`))
  if (parts.length > 0) {
    return `its ${what} ${JSON.stringify(name)} has parts; name those that become fields: ${listed(parts)}`
  }
  const meant = nearColumn(name, columns)
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`
  return `it has no ${what} ${JSON.stringify(name)}${hint}; its ${what}s are ${listed(names)}`
}

function listed(names: readonly string[]): string {
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : ''
  return (
    names
      .slice(0, MAX_LISTED)
      .map((name) => name.slice(0, 60))
      .join(', ') + more
  )
}
