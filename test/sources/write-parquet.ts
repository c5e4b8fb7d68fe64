/** Parquet files for tests, by hyparquet-writer. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { ColumnSource } from 'hyparquet-writer'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { zstdRaw, type Rows } from './write-vector-files.js'

type Write = Parameters<typeof parquetWriteBuffer>[0]
type Schema = NonNullable<Write['schema']>

/** LIST of three levels, as most programs write it; `required` leaves no room for nulls. */
export function listSchema(
  name: string,
  type: 'FLOAT' | 'DOUBLE' | 'FLOAT16' | 'INT64' = 'FLOAT',
  required = false,
): Schema {
  const repetition_type = required ? 'REQUIRED' : 'OPTIONAL'
  const element =
    type === 'FLOAT16'
      ? { type: 'FIXED_LEN_BYTE_ARRAY' as const, type_length: 2, logical_type: { type: 'FLOAT16' as const } }
      : { type }
  return [
    { name, repetition_type, num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type, ...element },
  ]
}

const COMPRESSORS: Write['compressors'] = {
  GZIP: (bytes) => gzipSync(bytes),
  BROTLI: (bytes) => brotliCompressSync(bytes),
  ZSTD: (bytes) => zstdRaw(bytes),
}

export interface ParquetTable {
  readonly columns: readonly { schema: Schema; data: ColumnSource['data']; encoding?: ColumnSource['encoding'] }[]
  readonly options?: Partial<Write>
}

export function parquetTable({ columns, options = {} }: ParquetTable): Buffer {
  const schema: Schema = [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap((column) => column.schema),
  ]
  const columnData = columns.map(({ schema: [{ name }], data, encoding }) => ({ name, data, encoding }))
  const write = { columnData, schema, compressors: COMPRESSORS, rowGroupSize: 700, pageSize: 20_000, ...options }
  return Buffer.from(parquetWriteBuffer(write as Write))
}

export function parquet(rows: Rows, options: Partial<Write> = {}): Buffer {
  return parquetTable({ columns: [{ schema: listSchema('embedding'), data: [...rows] }], options })
}
