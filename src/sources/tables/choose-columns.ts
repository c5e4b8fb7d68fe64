/** Chooses the columns of vectors and ids of a table. Pure: takes names and kinds, returns a choice or a reason. */

/** A column and its possible use; `type` is for messages. */
export interface TableColumn {
  readonly name: string
  readonly type: string
  /** A byte vector has 8-bit integers. It is chosen by name, or where there is no vector of floats. */
  readonly use: 'vector' | 'byte vector' | 'id' | 'none'
}

export interface ColumnNames {
  readonly vectorColumn?: string
  readonly idColumn?: string
}

const MAX_LISTED = 20

/** What a table has: columns, or arrays with names. */
type TableWord = 'column' | 'array'

const EXPECTED: Readonly<Record<TableWord, string>> = {
  column: 'lists of float16, float32, float64 or 8-bit integers',
  array: 'floats or short integers in two dimensions',
}
const EXPECTED_IDS: Readonly<Record<TableWord, string>> = {
  column: 'text or integers as ids',
  array: 'text or integers in one dimension as ids',
}

function isVector({ use }: TableColumn): boolean {
  return use === 'vector' || use === 'byte vector'
}

/** Indexes in `columns`, or a reason as text. Without `vectorColumn` the only column of vectors is chosen. */
export function chooseColumns(
  columns: readonly TableColumn[],
  { vectorColumn, idColumn }: ColumnNames,
  what: TableWord = 'column',
): { vector: number; id: number | undefined } | string {
  const vector = vectorPlace(columns, vectorColumn, what)
  if (typeof vector === 'string') return vector
  if (idColumn === undefined) return { vector, id: undefined }
  const id = columns.findIndex(({ name }) => name === idColumn)
  if (id < 0) return `it has no ${what} ${JSON.stringify(idColumn)} for ids; ${listed(columns, what)}`
  if (columns[id].use === 'id') return { vector, id }
  return `its ${what} ${JSON.stringify(idColumn)} is ${columns[id].type}, expected ${EXPECTED_IDS[what]}`
}

function vectorPlace(columns: readonly TableColumn[], wanted: string | undefined, what: TableWord): number | string {
  if (wanted !== undefined) {
    const place = columns.findIndex(({ name }) => name === wanted)
    if (place < 0) return `it has no ${what} ${JSON.stringify(wanted)}; ${listed(columns, what)}`
    if (isVector(columns[place])) return place
    const { type } = columns[place]
    return `its ${what} ${JSON.stringify(wanted)} is ${type}, expected ${EXPECTED[what]}`
  }
  const floats = columns.filter(({ use }) => use === 'vector')
  const candidates = floats.length > 0 ? floats : columns.filter(isVector)
  if (candidates.length === 1) return columns.indexOf(candidates[0])
  if (candidates.length === 0) return `it has no ${what} of ${EXPECTED[what]}; ${listed(columns, what)}`
  const names = candidates.slice(0, MAX_LISTED).map(({ name }) => name.slice(0, 60))
  const listing = `it has ${candidates.length} ${what}s of vectors: ${names.join(', ')}`
  return `${listing}; choose with vectorColumn (--vector-column)`
}

function listed(columns: readonly TableColumn[], what: TableWord): string {
  if (columns.length === 0) return `it has no ${what}s`
  const names = columns.slice(0, MAX_LISTED).map(({ name, type }) => `${name.slice(0, 60)} (${type})`)
  const more = columns.length > MAX_LISTED ? `, and ${columns.length - MAX_LISTED} more` : ''
  return `its ${what}s are ${names.join(', ')}${more}`
}
