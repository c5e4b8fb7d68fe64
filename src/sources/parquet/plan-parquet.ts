/** Parquet: a column of lists of floats; columns of ids and fields when they are named. Reads a page of each at a time. */
import { InvalidFileError } from '../../errors.js'
import { type Id, type VectorBatch, MAX_DIMENSIONS } from '../../api/vectors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { chooseColumns } from '../tables/choose-columns.js'
import { ListRows } from '../tables/list-rows.js'
import { readParquetFooter, type ParquetColumn, type ParquetFooter } from './parquet-footer.js'
import { parquetIds } from './parquet-ids.js'
import { columnPages, type DataPage } from './column-pages.js'
import { parquetColumn, parquetFields } from './parquet-fields.js'
import { FieldQueues } from '../fields/column-queue.js'
import { schemaOf, wantedFields } from '../fields/wanted-fields.js'
import { IdQueue } from '../id-queue.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'

/**
 * Reads the metadata, and pages up to the first vector, whose length all vectors must have.
 * @throws InvalidFileError when it is damaged, truncated, or has no such column; PathError for a pipe
 */
export async function planParquet(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  const footer = await readParquetFooter(bytes)
  const chosen = chooseColumns(footer.columns, options)
  if (typeof chosen === 'string') throw new InvalidFileError(bytes.path, chosen)
  const column = footer.columns[chosen.vector]
  const idColumn = chosen.id === undefined ? undefined : footer.columns[chosen.id]
  const fields = options.fields && parquetFields(bytes.path, footer, wantedFields(options.fields))
  const dimensions = footer.rows === 0 ? undefined : await firstLength(bytes, footer, column)
  return {
    count: footer.rows,
    dimensions,
    ...(fields && { fields: schemaOf(fields) }),
    async *batches(pass, startAt) {
      if (dimensions === undefined || startAt >= footer.rows) return
      const { group, firstRow } = groupOf(footer, startAt)
      const ids = idColumn && new IdQueue(parquetIds(pass, footer, idColumn, group))
      const columns =
        fields &&
        new FieldQueues(
          pass.path,
          fields.map((field) => ({ name: field.name, pieces: parquetColumn(pass, footer, field, group) })),
        )
      try {
        await ids?.skip(startAt - firstRow)
        await columns?.skip(startAt - firstRow)
        const rows = new ListRows({
          path: pass.path,
          dimensions,
          firstRow,
          startAt,
          invalid: options.invalid ?? 'error',
        })
        for await (const vectors of gathered(pass, footer, column, { rows, group, dimensions })) {
          const count = vectors.length / dimensions
          const batch: VectorBatch = {
            ...(ids && { ids: await takeIds(pass.path, ids, count) }),
            vectors,
            dimensions,
            ...(columns && { fields: await columns.take(count) }),
          }
          yield batch
        }
      } finally {
        await ids?.close()
        await columns?.close()
      }
    },
  }
}

async function takeIds(path: string, ids: IdQueue, count: number): Promise<Id[]> {
  const taken = await ids.take(count)
  if (taken.length === count) return taken
  throw new InvalidFileError(path, 'its column of ids has fewer rows than its column of vectors')
}

/** The row group of a row, and the group's first row. */
function groupOf({ groupRows }: ParquetFooter, row: number): { group: number; firstRow: number } {
  let firstRow = 0
  for (let group = 0; ; group++) {
    if (row < firstRow + groupRows[group]) return { group, firstRow }
    firstRow += groupRows[group]
  }
}

interface Gathering {
  readonly rows: ListRows
  readonly group: number
  readonly dimensions: number
}

async function* gathered(
  bytes: ByteReader,
  footer: ParquetFooter,
  column: ParquetColumn,
  { rows, group, dimensions }: Gathering,
): AsyncGenerator<Float32Array, void, void> {
  const groupEnd = (): number => groupFrom + footer.groupRows[group]
  let groupFrom = rows.row
  const endGroup = (): void => {
    rows.end()
    if (rows.row === groupEnd()) return
    const [got, expected] = [rows.row - groupFrom, footer.groupRows[group]]
    throw new InvalidFileError(
      bytes.path,
      `row group ${group} has ${got} vectors in column ${JSON.stringify(column.name)}, expected ${expected}`,
    )
  }
  try {
    for await (const page of columnPages(bytes, footer, column, group)) {
      for (; group < page.group; group++) {
        endGroup()
        groupFrom = groupEnd()
      }
      yield* pageRows(page, column, rows, dimensions)
    }
    for (; group < footer.groupRows.length; group++) {
      endGroup()
      groupFrom = groupEnd()
    }
  } catch (error) {
    // The rows before the bad one are good.
    if (rows.hasRows) yield rows.take()
    throw error
  }
  if (rows.hasRows) yield rows.take()
}

function* pageRows(
  page: DataPage,
  column: ParquetColumn,
  rows: ListRows,
  dimensions: number,
): Generator<Float32Array, void, void> {
  const { count, definitions } = page
  const { maxDefinition, elementDefinition } = column
  // A column of lists of floats has both.
  const [repetitions, values] = [page.repetitions as Uint8Array, page.values as Float32Array]
  let value = 0
  for (let i = 0; i < count;) {
    if (repetitions[i] === 0) {
      rows.end()
      if (rows.isFull) yield rows.take()
      if (isWhole(page, i, maxDefinition, dimensions)) {
        rows.addWhole(values, value)
        value += dimensions
        i += dimensions
        continue
      }
      rows.begin()
    }
    const definition = definitions === undefined ? maxDefinition : definitions[i]
    if (definition === maxDefinition) rows.add(values[value++])
    else if (definition !== elementDefinition - 1) rows.addNull()
    i++
  }
}

/** Whether a list of exactly `dimensions` values without a null begins at `from`, and another list follows. */
function isWhole(
  { count, repetitions, definitions }: DataPage,
  from: number,
  max: number,
  dimensions: number,
): boolean {
  const to = from + dimensions
  // At the end of a page the length of the list is not known yet.
  if (repetitions === undefined || to >= count || repetitions[to] !== 0) return false
  for (let i = from + 1; i < to; i++) if (repetitions[i] === 0) return false
  if (definitions !== undefined) for (let i = from; i < to; i++) if (definitions[i] !== max) return false
  return true
}

/** The length of the first list that is not null or empty. @throws InvalidFileError when there is none */
async function firstLength(bytes: ByteReader, footer: ParquetFooter, column: ParquetColumn): Promise<number> {
  let length = 0
  const pages = columnPages(bytes, footer, column, 0)
  for await (const { count, repetitions, definitions } of pages) {
    for (let i = 0; i < count; i++) {
      if (length > 0 && repetitions?.[i] === 0) return length
      if (definitions === undefined || definitions[i] >= column.elementDefinition) length++
      if (length > MAX_DIMENSIONS) {
        const reason = `its first vector has more than ${MAX_DIMENSIONS} numbers`
        throw new InvalidFileError(bytes.path, reason)
      }
    }
  }
  if (length > 0) return length
  throw new InvalidFileError(
    bytes.path,
    `its column ${JSON.stringify(column.name)} has no vector: all are null or empty`,
  )
}
