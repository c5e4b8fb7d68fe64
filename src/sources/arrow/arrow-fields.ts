/** The columns of an Arrow file that become fields: scalars, lists of scalars, and parts of structs (`meta.category`). */
import type { FieldColumn, FieldType } from '../../api/fields.js'
import { InvalidFileError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import { widenHalves } from '../rows/value-type.js'
import { converter, itemType, type Convert, type RawCells } from '../fields/cell-values.js'
import { chooseType, MAX_NAME, noColumn } from '../fields/choose-type.js'
import { joinColumns } from '../fields/column-queue.js'
import { withNulls } from '../fields/null-rows.js'
import type { WantedField } from '../fields/wanted-fields.js'
import type { ArrowBuffers } from './arrow-buffers.js'
import { arrowCells, type ArrowCells, type ArrowStorage } from './arrow-cells.js'
import { arrowTypeName, eachArrowField, type ArrowPlace } from './arrow-columns.js'
import { arrowIntegers, arrowTexts, checkDictionarySize, type RowRange } from './arrow-ids.js'
import type { FlatTable } from './flat-table.js'

export interface ArrowField {
  readonly name: string
  readonly type: FieldType
  readonly cells: ArrowCells
  readonly place: ArrowPlace
  /** The structs that it is in: a row that is null in one of them is null. */
  readonly within: readonly ArrowPlace[]
  readonly convert: Convert
}

/** Texts of so many rows are read at once. */
const ROWS_AT_ONCE = 256
const MAX_ITEMS = 4 << 20

interface Found {
  readonly name: string
  readonly type: string
  readonly cells: ArrowCells | undefined
  readonly place: ArrowPlace
  readonly within: readonly ArrowPlace[]
}

/** @throws InvalidFileError for a column that is not there, or of which no such field can be made */
export function arrowFields(
  path: string,
  { schema, version }: { readonly schema: FlatTable; readonly version: number },
  wanted: readonly WantedField[],
): readonly ArrowField[] {
  const columns = columnsOf(path, schema, version)
  return wanted.map((field) => {
    const found = columns.find(({ name }) => name === field.name)
    if (found === undefined) throw new InvalidFileError(path, noColumn(field.name, columns))
    const { name, type, cells, place, within } = found
    const chosen = chooseType(field, { name, type, cell: cells?.cell, isList: cells?.list !== undefined })
    if (cells === undefined || typeof chosen === 'string') throw new InvalidFileError(path, chosen as string)
    const convert = converter(cells.cell, cells.list === undefined ? chosen.type : itemType(chosen.type), false)
    const checked: Convert = (values) => {
      try {
        return convert(values)
      } catch (cause) {
        throw new InvalidFileError(path, `its column ${JSON.stringify(name)} has ${messageOf(cause)}`, { cause })
      }
    }
    return { name, type: chosen.type, cells, place, within, convert: checked }
  })
}

function columnsOf(path: string, schema: FlatTable, version: number): Found[] {
  const columns: Found[] = []
  try {
    eachArrowField(schema, version, (field, place, within) => {
      const name = [...within.map((struct) => struct.name), field.text(0)].join('.')
      if (name.length > MAX_NAME) return
      columns.push({ name, type: arrowTypeName(field), cells: arrowCells(field), place: { name, ...place }, within })
    })
  } catch (cause) {
    throw new InvalidFileError(path, 'its Arrow schema is damaged', { cause })
  }
  return columns
}

/** Values of a range of rows; null is missing. `dictionary`: the values that rows are numbers of. */
export async function arrowColumn(
  batch: ArrowBuffers,
  field: ArrowField,
  dictionary: FieldColumn,
  { row, count }: RowRange,
): Promise<FieldColumn> {
  const { list, storage } = field.cells
  const isLong = list !== undefined || storage.kind === 'text' || storage.kind === 'view'
  const atOnce = isLong ? ROWS_AT_ONCE : count
  const parts: FieldColumn[] = []
  for (let from = 0; from < count; from += atOnce) {
    const range = { row: row + from, count: Math.min(atOnce, count - from) }
    parts.push(await rowsOf(batch, field, dictionary, range))
  }
  return joinColumns(parts)
}

/** The values of the field's dictionary in one of its messages. */
export async function fieldDictionary(batch: ArrowBuffers, field: ArrowField, held: number): Promise<FieldColumn> {
  const place = { name: field.name, node: 0, buffer: 0, views: 0 }
  checkDictionarySize(batch, place, held)
  const { cells, convert } = field
  return arrowColumn(
    batch,
    { ...field, cells: { cell: cells.cell, storage: cells.storage }, place, within: [], convert },
    [],
    { row: 0, count: batch.rows },
  )
}

async function rowsOf(
  batch: ArrowBuffers,
  field: ArrowField,
  dictionary: FieldColumn,
  range: RowRange,
): Promise<FieldColumn> {
  const { cells, place, within, convert } = field
  const validity = await validityOf(batch, [...within, place], range)
  const isThere = (row: number): boolean => validity === undefined || validity[row] === 1
  if (cells.list !== undefined) return listsOf(batch, field, range, isThere)
  if (cells.dictionary === undefined) {
    const there = kept(await rawCells(batch, place, cells.storage, range), validity)
    return withNulls(convert(there), range.count, isThere)
  }
  const numbers = await arrowIntegers(batch, place, cells.dictionary.index, range)
  return Array.from<number | bigint, unknown>(numbers, (number, row) => {
    if (!isThere(row)) return null
    const at = Number(number)
    if (at >= 0 && at < dictionary.length) return dictionary[at]
    throw batch.damaged(`the number ${number} in a dictionary of ${dictionary.length} values:`)
  })
}

/** Nulls in a list are left out of it. */
async function listsOf(
  batch: ArrowBuffers,
  { cells, place, convert }: ArrowField,
  { row, count }: RowRange,
  isThere: (row: number) => boolean,
): Promise<FieldColumn> {
  const { offsetBytes, size } = cells.list ?? { offsetBytes: 0, size: 0 }
  const offsets =
    offsetBytes === 0
      ? Float64Array.from({ length: count + 1 }, (_, i) => (row + i) * size)
      : await batch.offsets(place, offsetBytes, row, count)
  const items = { row: offsets[0], count: offsets[count] - offsets[0] }
  if (items.count > MAX_ITEMS) throw batch.damaged(`${items.count} items in ${count} lists`)
  const itemPlace = { ...place, node: place.node + 1, buffer: place.buffer + (offsetBytes === 0 ? 1 : 2) }
  const validity = await validityOf(batch, [itemPlace], items)
  const values = withNulls(
    convert(kept(await rawCells(batch, itemPlace, cells.storage, items), validity)),
    items.count,
    (at) => validity?.[at] === 1,
  )
  return Array.from({ length: count }, (_, i) => {
    if (!isThere(i)) return null
    const list: unknown[] = []
    for (let at = offsets[i] - items.row; at < offsets[i + 1] - items.row; at++) {
      if (values[at] !== null) list.push(values[at])
    }
    return list
  })
}

/** 1 for each row that is null in no place; undefined when none is null. */
async function validityOf(
  batch: ArrowBuffers,
  places: readonly ArrowPlace[],
  { row, count }: RowRange,
): Promise<Uint8Array | undefined> {
  let all: Uint8Array | undefined
  for (const place of places) {
    const one = await batch.validity(place, { level: 0, place: 0, from: row, count })
    if (all === undefined || one === undefined) all ??= one
    else for (let i = 0; i < count; i++) all[i] &= one[i]
  }
  return all
}

/** Cells that are not null: what lies under nulls means nothing. */
function kept(cells: RawCells, validity: Uint8Array | undefined): RawCells {
  if (validity === undefined) return cells
  const isThere = (_: unknown, row: number): boolean => validity[row] === 1
  return (cells as readonly Uint8Array[]).filter(isThere)
}

async function rawCells(
  batch: ArrowBuffers,
  place: ArrowPlace,
  storage: ArrowStorage,
  range: RowRange,
): Promise<RawCells> {
  const { row, count } = range
  switch (storage.kind) {
    case 'text':
    case 'view':
      return arrowTexts(batch, place, storage, range)
    case 'integer':
      return arrowIntegers(batch, place, storage, range)
    case 'bits': {
      const first = row >> 3
      const bits = await batch.read(place, 1, first, Math.ceil((row + count) / 8) - first)
      const shift = row - 8 * first
      return Uint8Array.from({ length: count }, (_, i) => (bits[(shift + i) >> 3] >> ((shift + i) & 7)) & 1)
    }
    case 'fixed': {
      const bytes = await batch.read(place, 1, row * storage.bytes, count * storage.bytes)
      return Array.from({ length: count }, (_, i) => bytes.subarray(i * storage.bytes, (i + 1) * storage.bytes))
    }
    case 'float': {
      const { buffer } = await batch.read(place, 1, row * storage.bytes, count * storage.bytes)
      if (storage.bytes !== 2) return storage.bytes === 4 ? new Float32Array(buffer) : new Float64Array(buffer)
      const into = new Float32Array(count)
      widenHalves(new Uint16Array(buffer), into)
      return into
    }
  }
}
