/**
 * Arrow IPC, stream or file: a column of lists of floats, and a column of ids when one is named. Reads rows in slices
 * straight from the buffers in the file, so record batches of any size take no more memory than a slice.
 */
import { InvalidFileError } from '../../errors.js'
import { arrowVectors, firstListLength } from './arrow-batch.js'
import { ArrowBuffers } from './arrow-buffers.js'
import { ArrowDictionary } from './arrow-dictionaries.js'
import { arrowColumn, arrowFields, fieldDictionary, type ArrowField } from './arrow-fields.js'
import { dictionaryIds, dictionaryValues, plainIds, type RowRange } from './arrow-ids.js'
import { arrowFooter, DICTIONARY_BATCH, messageAt, SCHEMA, type ArrowMessage } from './arrow-message.js'
import { arrowColumns, type ArrowColumn, type ArrowIds, type ArrowList } from './arrow-columns.js'
import type { FieldColumn } from '../../api/fields.js'
import type { Id } from '../../api/vectors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { chooseColumns } from '../tables/choose-columns.js'
import { schemaOf, wantedFields } from '../fields/wanted-fields.js'
import type { FlatTable } from './flat-table.js'
import { rowsPerBatch, type ReadOptions, type ReadPlan } from '../vector-file.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'

/**
 * Reads the schema and the metadata of every record batch.
 * @throws InvalidFileError when it is damaged, truncated, or has no such column; PathError for a pipe
 */
export async function planArrow(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  const { columns, schema, messages } = await openArrow(bytes)
  const chosen = chooseColumns(columns, options)
  if (typeof chosen === 'string') throw new InvalidFileError(bytes.path, chosen)
  const column = columns[chosen.vector]
  const idColumn = chosen.id === undefined ? undefined : columns[chosen.id]
  const list = column.shape as ArrowList
  const fields = options.fields && arrowFields(bytes.path, schema, wantedFields(options.fields))
  const dictionary = idDictionary(idColumn)
  const columnsOfFields = (fields ?? []).map((field) => ({ field, dictionary: dictionaryOf(field) }))
  const dictionaries = [dictionary, ...columnsOfFields.map((one) => one.dictionary)]
  let count = 0
  let dimensions = list.size
  /** Offset of each record batch that has rows. */
  const places: number[] = []
  const firstRows: number[] = []
  for await (const message of messages) {
    if (message.type === DICTIONARY_BATCH) {
      for (const one of dictionaries) one.meet(message, bytes.path)
      continue
    }
    const batch = new ArrowBuffers(bytes, message)
    if (batch.rows === 0) continue
    places.push(message.at)
    firstRows.push(count)
    for (const one of dictionaries) one.endBatch()
    count += batch.rows
    if (dimensions === 0) dimensions = await firstListLength(batch, column, list)
  }
  if (count > 0 || list.offsetBytes === 0) checkDimensions(bytes.path, column, dimensions)
  return {
    count,
    dimensions: dimensions === 0 ? undefined : dimensions,
    ...(fields && { fields: schemaOf(fields) }),
    async *batches(pass, startAt) {
      const rowsAtOnce = rowsPerBatch(dimensions)
      for (let i = 0; i < places.length; i++) {
        const [firstRow, end] = [firstRows[i], firstRows[i + 1] ?? count]
        if (end <= startAt) continue
        const batch = await batchAt(pass, places[i], end - firstRow)
        for (let row = Math.max(0, startAt - firstRow); row < end - firstRow; row += rowsAtOnce) {
          const range = {
            row,
            count: Math.min(rowsAtOnce, end - firstRow - row),
            firstRow,
            dimensions,
            skip: options.invalid === 'skip',
          }
          const { vectors, failure } = await arrowVectors(batch, column, list, range)
          const rows = vectors.length / dimensions
          if (rows > 0) {
            const slice = { row, count: rows }
            yield {
              ...(idColumn && { ids: await idsOf(batch, idColumn, await dictionary.before(pass, i), slice) }),
              vectors,
              dimensions,
              ...(fields && { fields: await columnsAt(pass, batch, i, slice, columnsOfFields) }),
            }
          }
          if (failure !== undefined) throw failure
        }
      }
    },
  }
}

function idDictionary(column: ArrowColumn | undefined): ArrowDictionary<Id> {
  const shape = column?.shape
  if (column === undefined || shape?.kind !== 'dictionary')
    return new ArrowDictionary(undefined, () => Promise.resolve([]))
  return new ArrowDictionary(shape.id, (batch, held) => dictionaryValues(batch, column, shape.values, held))
}

function dictionaryOf(field: ArrowField): ArrowDictionary<unknown> {
  return new ArrowDictionary(field.cells.dictionary?.id, (batch, held) => fieldDictionary(batch, field, held))
}

interface FieldSource {
  readonly field: ArrowField
  readonly dictionary: ArrowDictionary<unknown>
}

async function columnsAt(
  bytes: ByteReader,
  batch: ArrowBuffers,
  number: number,
  range: RowRange,
  fields: readonly FieldSource[],
): Promise<Readonly<Record<string, FieldColumn>>> {
  const columns: [string, FieldColumn][] = []
  for (const { field, dictionary } of fields) {
    columns.push([field.name, await arrowColumn(batch, field, await dictionary.before(bytes, number), range)])
  }
  return Object.fromEntries(columns)
}

function idsOf(batch: ArrowBuffers, column: ArrowColumn, dictionary: readonly Id[], range: RowRange): Promise<Id[]> {
  const shape = column.shape as ArrowIds
  if (shape.kind !== 'dictionary') return plainIds(batch, column, shape, range)
  return dictionaryIds(batch, column, shape.index, { dictionary, ...range })
}

interface OpenArrow {
  readonly columns: readonly ArrowColumn[]
  readonly schema: { readonly schema: FlatTable; readonly version: number }
  /** The messages after the schema, in order. */
  readonly messages: AsyncGenerator<ArrowMessage, void, void>
}

async function openArrow(bytes: ByteReader): Promise<OpenArrow> {
  const footer = await arrowFooter(bytes)
  if (footer !== undefined) {
    const columns = columnsOf(bytes.path, footer.schema, footer.version)
    return { columns, schema: footer, messages: messagesAt(bytes, footer.messagesAt) }
  }
  const schema = await messageAt(bytes, 0)
  if (schema?.type !== SCHEMA) {
    throw new InvalidFileError(bytes.path, 'its Arrow stream does not begin with a schema', { offset: 0 })
  }
  return {
    columns: columnsOf(bytes.path, schema.header, schema.version),
    schema: { schema: schema.header, version: schema.version },
    messages: messagesFrom(bytes, schema.end),
  }
}

async function* messagesAt(bytes: ByteReader, places: readonly number[]): AsyncGenerator<ArrowMessage, void, void> {
  for (const at of places) {
    const message = await messageAt(bytes, at)
    if (message === undefined) throw new InvalidFileError(bytes.path, 'its Arrow footer is damaged', { offset: at })
    yield message
  }
}

async function* messagesFrom(bytes: ByteReader, from: number): AsyncGenerator<ArrowMessage, void, void> {
  for (let at = from; ;) {
    const message = await messageAt(bytes, at)
    if (message === undefined) return
    yield message
    at = message.end
  }
}

function columnsOf(path: string, schema: FlatTable, version: number): ArrowColumn[] {
  try {
    if (schema.int16(0, 0) !== 0) throw new InvalidFileError(path, 'its numbers are big-endian, expected little-endian')
    return arrowColumns(schema, version)
  } catch (cause) {
    if (cause instanceof InvalidFileError) throw cause
    throw new InvalidFileError(path, 'its Arrow schema is damaged', { cause })
  }
}

function checkDimensions(path: string, { name }: ArrowColumn, dimensions: number): void {
  if (dimensions >= 1 && dimensions <= MAX_DIMENSIONS) return
  const reason =
    dimensions === 0
      ? `its column ${JSON.stringify(name)} has no vector: all are null or empty`
      : `the vectors of its column ${JSON.stringify(name)} have ${dimensions} numbers, expected 1 to ${MAX_DIMENSIONS}`
  throw new InvalidFileError(path, reason)
}

async function batchAt(bytes: ByteReader, at: number, rows: number): Promise<ArrowBuffers> {
  const message = await messageAt(bytes, at)
  const batch = message && new ArrowBuffers(bytes, message)
  if (batch?.rows === rows) return batch
  throw new InvalidFileError(bytes.path, 'it was changed while it was read', { offset: at })
}
