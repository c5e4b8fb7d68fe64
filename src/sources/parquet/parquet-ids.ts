/** The ids of a Parquet file: a column of text, integers or UUIDs. */
import { InvalidFileError } from '../../errors.js'
import { integerId } from '../../api/integer-id.js'
import type { Id } from '../../api/vectors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import type { ParquetColumn, ParquetFooter } from './parquet-footer.js'
import { columnPages } from './column-pages.js'
import { uuidText } from '../tables/uuid-text.js'

/**
 * Yields the ids from a row group on, in one array for each page.
 * Yields integers beyond 2^53 − 1 as text.
 * @throws InvalidFileError at a null, or text that is not UTF-8
 */
export async function* parquetIds(
  bytes: ByteReader,
  footer: ParquetFooter,
  column: ParquetColumn,
  fromGroup: number,
): AsyncGenerator<Id[], void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const isUnsigned =
    column.physical.converted_type?.startsWith('UINT_') === true ||
    (column.physical.logical_type?.type === 'INTEGER' && !column.physical.logical_type.isSigned)
  const refuse = (what: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(bytes.path, `its column ${JSON.stringify(column.name)} has ${what}`, { cause })

  const idOf = (value: number | bigint | Uint8Array): Id => {
    if (typeof value === 'number') return isUnsigned ? value >>> 0 : value
    if (typeof value === 'bigint') return integerId(isUnsigned ? BigInt.asUintN(64, value) : value)
    if (column.kind === 'uuid') {
      if (value.length === 16) return uuidText(value)
      throw refuse(`a UUID of ${value.length} bytes`)
    }
    try {
      return decoder.decode(value)
    } catch (cause) {
      throw refuse('text that is not UTF-8', cause)
    }
  }

  let row = footer.groupRows.slice(0, fromGroup).reduce((sum, rows) => sum + rows, 0)
  for await (const { count, values } of columnPages(bytes, footer, column, fromGroup)) {
    if (values.length < count)
      throw refuse(`a null among rows ${row} to ${row + count - 1}, expected an id in every row`)
    yield Array.from(values as ArrayLike<number | bigint | Uint8Array>, idOf)
    row += count
  }
}
