/** The columns of a Parquet file that become fields: scalars, lists of scalars, and parts of groups (`meta.category`). */
import type { FieldColumn, FieldType } from '../../api/fields.js'
import { InvalidFileError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { converter, itemType, type Convert, type RawCells } from '../fields/cell-values.js'
import { chooseType, noColumn } from '../fields/choose-type.js'
import type { Pieces } from '../fields/column-queue.js'
import { withNulls } from '../fields/null-rows.js'
import type { WantedField } from '../fields/wanted-fields.js'
import { columnPages, type DataPage, type PageValues } from './column-pages.js'
import { parquetCells, type ParquetCells } from './parquet-cells.js'
import type { ParquetColumn, ParquetFooter } from './parquet-footer.js'

export interface ParquetField {
  readonly name: string
  readonly type: FieldType
  readonly column: ParquetColumn
  readonly cells: ParquetCells
}

/** @throws InvalidFileError for a column that is not there, or of which no such field can be made */
export function parquetFields(
  path: string,
  { columns }: ParquetFooter,
  wanted: readonly WantedField[],
): readonly ParquetField[] {
  const named = columns.flatMap((column) => (column.path === undefined ? [] : [{ name: column.path, column }]))
  return wanted.map((field) => {
    const found = named.find(({ name }) => name === field.name)
    if (found === undefined) throw new InvalidFileError(path, noColumn(field.name, named))
    const { column } = found
    const cells = parquetCells(column)
    const { type } = column
    const chosen = chooseType(field, { name: field.name, type, cell: cells?.cell, isList: cells?.isList === true })
    if (cells === undefined || typeof chosen === 'string') throw new InvalidFileError(path, chosen as string)
    return { name: field.name, type: chosen.type, column: { ...column, kind: cells.kind }, cells }
  })
}

/** The values from a row group on, in one piece for each page; null is missing. @throws InvalidFileError */
export async function* parquetColumn(
  bytes: ByteReader,
  footer: ParquetFooter,
  { name, type, column, cells }: ParquetField,
  fromGroup: number,
): Pieces {
  const convert = converter(cells.cell, cells.isList ? itemType(type) : type, true)
  const converted: Convert = (values) => {
    try {
      return convert(values)
    } catch (cause) {
      throw new InvalidFileError(bytes.path, `its column ${JSON.stringify(name)} has ${messageOf(cause)}`, { cause })
    }
  }
  const lists = new OpenLists(column)
  let group = fromGroup
  for await (const page of columnPages(bytes, footer, column, fromGroup)) {
    const values = converted(rawCells(page.values, cells))
    if (!cells.isList) {
      const { definitions, count } = page
      yield withNulls(values, count, (row) => definitions?.[row] === column.maxDefinition)
      continue
    }
    // A list goes on over the end of a page, and ends with its row group.
    if (page.group !== group) yield lists.end()
    group = page.group
    yield lists.rows(page, values)
  }
  if (cells.isList) yield lists.end()
}

/** The same bytes as unsigned integers where that is what they are. */
function rawCells(values: PageValues, { kind, cell }: ParquetCells): RawCells {
  if (cell.isUnsigned !== true || values.length === 0) return values
  const { buffer, byteOffset, length } = values as Int32Array | BigInt64Array
  return kind === 'i4' ? new Uint32Array(buffer, byteOffset, length) : new BigUint64Array(buffer, byteOffset, length)
}

/** Rows of lists from the values of pages. Nulls in a list are left out of it. */
class OpenLists {
  readonly #column: ParquetColumn
  /** The list that may go on: null when it is null, undefined before the first. */
  #open: unknown[] | null | undefined

  constructor(column: ParquetColumn) {
    this.#column = column
  }

  rows({ count, repetitions, definitions }: DataPage, values: FieldColumn): FieldColumn {
    const { maxDefinition, elementDefinition } = this.#column
    const rows: unknown[] = []
    let next = 0
    for (let i = 0; i < count; i++) {
      const definition = definitions === undefined ? maxDefinition : definitions[i]
      if (repetitions?.[i] === 0) {
        if (this.#open !== undefined) rows.push(this.#open)
        this.#open = definition < elementDefinition - 1 ? null : []
      }
      // An item before the first row of a group: the rows will be too few.
      if (definition === maxDefinition) this.#open?.push(values[next++])
    }
    return rows
  }

  end(): FieldColumn {
    const rows = this.#open === undefined ? [] : [this.#open]
    this.#open = undefined
    return rows
  }
}
