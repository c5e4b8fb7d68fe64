/** Which columns of CSV have the vector and the id, from the first two records. Pure. */
import { noColumn } from '../fields/choose-type.js'
import type { ColumnNames } from '../tables/choose-columns.js'
import { isNothing, isNumber, isVectorText } from './vector-text.js'

export interface CsvLayout {
  readonly fields: number
  /** The column of a vector as text, or the columns of its numbers. */
  readonly vector: number | readonly number[]
  readonly id: number | undefined
  /** The columns of the fields. */
  readonly columns: readonly number[]
}

/** What the caller names of a table. */
export interface CsvNames extends ColumnNames {
  /** Columns that become fields. */
  readonly fields?: readonly string[]
}

const USUAL_NAMES = ['vector', 'embedding']
/** What pandas calls the column of its index. */
const INDEX_NAMES = ['', 'Unnamed: 0']
const MAX_LISTED = 20

/**
 * Whether the first record has names: one of them was asked for, or none of its fields is a vector or a number, or its
 * numbers are those of the columns, as pandas writes them.
 */
export function isHeader(fields: readonly string[], { vectorColumn, idColumn, fields: named = [] }: CsvNames): boolean {
  if ([vectorColumn, idColumn, ...named].some((name) => name !== undefined && !isNumber(name) && fields.includes(name)))
    return true
  if (fields.some(isVectorText)) return false
  const numbers = fields.filter(isNumber)
  return numbers.every((text, i) => text === String(i))
}

/** The names of columns without a header: 1, 2, 3, … */
export function numberedNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i + 1))
}

/** The layout, or a reason as text. `first` is the first record after the header. */
export function csvLayout(
  names: readonly string[],
  first: readonly string[],
  { vectorColumn, idColumn, fields: named = [] }: CsvNames,
): CsvLayout | string {
  const usualId = names.indexOf('id')
  const id = idColumn === undefined ? usualId : names.indexOf(idColumn)
  if (idColumn !== undefined && id < 0) return `it has no column ${JSON.stringify(idColumn)} for ids; ${listed(names)}`
  const columns = named.map((name) => names.indexOf(name))
  const missing = columns.indexOf(-1)
  if (missing >= 0) {
    return noColumn(
      named[missing],
      names.map((name) => ({ name })),
    )
  }
  const vector = vectorColumns(names, first, vectorColumn, [id, ...columns])
  if (typeof vector === 'string') return vector
  return { fields: names.length, vector, id: id < 0 ? undefined : id, columns }
}

function vectorColumns(
  names: readonly string[],
  first: readonly string[],
  wanted: string | undefined,
  others: readonly number[],
): number | readonly number[] | string {
  if (wanted?.endsWith('*') === true && !names.includes(wanted)) {
    const prefix = wanted.slice(0, -1)
    const columns = [...names.keys()].filter((column) => !others.includes(column) && names[column].startsWith(prefix))
    return columns.length > 0 ? columns : `it has no columns ${JSON.stringify(wanted)}; ${listed(names)}`
  }
  if (wanted !== undefined) {
    const column = names.indexOf(wanted)
    return column < 0 ? `it has no column ${JSON.stringify(wanted)}; ${listed(names)}` : column
  }
  const usual = names.findIndex((name, column) => USUAL_NAMES.includes(name) && !isNumber(first[column] ?? ''))
  if (usual >= 0) return usual
  const texts = [...names.keys()].filter((column) => !others.includes(column) && isVectorText(first[column] ?? ''))
  if (texts.length === 1) return texts[0]
  if (texts.length > 1) {
    const found = texts.map((column) => names[column].slice(0, 60)).join(', ')
    return `it has ${texts.length} columns of vectors: ${found}; choose with vectorColumn (--vector-column)`
  }
  const columns = [...names.keys()].filter((column) => !others.includes(column) && !INDEX_NAMES.includes(names[column]))
  const other = columns.find((column) => !isNumber(first[column] ?? '') && !isNothing(first[column] ?? ''))
  if (other === undefined && columns.length > 0) return columns
  const reason =
    other === undefined ? 'it has no columns of numbers' : `its column ${JSON.stringify(names[other])} has no numbers`
  return (
    `${reason}; choose a column with vectorColumn (--vector-column), or several with a name such as "dim_*", ` +
    `and the ids with idColumn (--id-column); ${listed(names)}`
  )
}

function listed(names: readonly string[]): string {
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : ''
  return `its columns are ${names
    .slice(0, MAX_LISTED)
    .map((name) => name.slice(0, 60))
    .join(', ')}${more}`
}
