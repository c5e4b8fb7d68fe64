/**
 * Arrow IPC, stream or file: a column of lists of floats, and a column of ids when one is named. Reads rows in slices
 * straight from the buffers in the file, so record batches of any size take no more memory than a slice.
 */
import { InvalidFileError } from '../../errors.js'
import { arrowVectors, firstListLength } from './arrow-batch.js'
import { ArrowBuffers } from './arrow-buffers.js'
import { ArrowDictionaries } from './arrow-dictionaries.js'
import { dictionaryIds, plainIds, type RowRange } from './arrow-ids.js'
import { arrowFooter, DICTIONARY_BATCH, messageAt, SCHEMA, type ArrowMessage } from './arrow-message.js'
import { arrowColumns, type ArrowColumn, type ArrowIds, type ArrowList } from './arrow-columns.js'
import type { Id } from '../../api/vectors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { chooseColumns } from '../tables/choose-columns.js'
import type { FlatTable } from './flat-table.js'
import { rowsPerBatch, type ReadOptions, type ReadPlan } from '../vector-file.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'

/**
 * Reads the schema and the metadata of every record batch.
 * @throws InvalidFileError when it is damaged, truncated, or has no such column; PathError for a pipe
 */
export async function planArrow(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  const { columns, messages } = await openArrow(bytes)
  const chosen = chooseColumns(columns, options)
  if (typeof chosen === 'string') throw new InvalidFileError(bytes.path, chosen)
  const column = columns[chosen.vector]
  const idColumn = chosen.id === undefined ? undefined : columns[chosen.id]
  const list = column.shape as ArrowList
  const dictionaries = new ArrowDictionaries(idColumn)
  let count = 0
  let dimensions = list.size
  /** Offset of each record batch that has rows. */
  const places: number[] = []
  const firstRows: number[] = []
  for await (const message of messages) {
    if (message.type === DICTIONARY_BATCH) {
      dictionaries.meet(message, bytes.path)
      continue
    }
    const batch = new ArrowBuffers(bytes, message)
    if (batch.rows === 0) continue
    places.push(message.at)
    firstRows.push(count)
    dictionaries.endBatch()
    count += batch.rows
    if (dimensions === 0) dimensions = await firstListLength(batch, column, list)
  }
  if (count > 0 || list.offsetBytes === 0) checkDimensions(bytes.path, column, dimensions)
  return {
    count,
    dimensions: dimensions === 0 ? undefined : dimensions,
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
          if (rows > 0 && idColumn === undefined) yield { vectors, dimensions }
          if (rows > 0 && idColumn !== undefined) {
            const dictionary = await dictionaries.before(pass, i)
            yield { ids: await idsOf(batch, idColumn, dictionary, { row, count: rows }), vectors, dimensions }
          }
          if (failure !== undefined) throw failure
        }
      }
    },
  }
}

function idsOf(batch: ArrowBuffers, column: ArrowColumn, dictionary: readonly Id[], range: RowRange): Promise<Id[]> {
  const shape = column.shape as ArrowIds
  if (shape.kind !== 'dictionary') return plainIds(batch, column, shape, range)
  return dictionaryIds(batch, column, shape.index, { dictionary, ...range })
}

interface OpenArrow {
  readonly columns: readonly ArrowColumn[]
  /** The messages after the schema, in order. */
  readonly messages: AsyncGenerator<ArrowMessage, void, void>
}

async function openArrow(bytes: ByteReader): Promise<OpenArrow> {
  const footer = await arrowFooter(bytes)
  if (footer !== undefined) {
    const columns = columnsOf(bytes.path, footer.schema, footer.version)
    return { columns, messages: messagesAt(bytes, footer.messagesAt) }
  }
  const schema = await messageAt(bytes, 0)
  if (schema?.type !== SCHEMA) {
    throw new InvalidFileError(bytes.path, 'its Arrow stream does not begin with a schema', { offset: 0 })
  }
  return { columns: columnsOf(bytes.path, schema.header, schema.version), messages: messagesFrom(bytes, schema.end) }
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
