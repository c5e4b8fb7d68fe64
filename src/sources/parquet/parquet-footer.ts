/** Reads the end of a Parquet file: its columns, and the place of each in each row group. */
import { parquetMetadata, type FileMetaData, type SchemaElement } from 'hyparquet'
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, readExactly, type ByteReader } from '../bytes/byte-reader.js'
import { MAX_NAME } from '../fields/choose-type.js'
import type { TableColumn } from '../tables/choose-columns.js'
import { thriftEnd } from './thrift-end.js'
import { PARQUET_MAGIC } from './parquet-magic.js'
import { messageOf } from '../../runtime/realms.js'

/** Enough for a thousand row groups and columns; parsed metadata takes a hundred times as much. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024
const MAX_SCHEMA_ELEMENTS = 20_000
const MAX_SCHEMA_DEPTH = 50
const TAIL_BYTES = 8

/** How values are decoded. fixed: bytes of one length. i12: INT96, as nanoseconds since 1970. */
export type ColumnKind = 'f2' | 'f4' | 'f8' | 'i4' | 'i8' | 'i12' | 'bool' | 'text' | 'uuid' | 'fixed'

/** A leaf column; `kind` is undefined when it holds neither vectors nor ids. */
export interface ParquetColumn extends TableColumn {
  readonly kind: ColumnKind | undefined
  /** Names of the groups that it is in and its own, as `meta.category`, without those inside of a list. */
  readonly path: string | undefined
  /** Whether its lists, if it has any, are lists of it alone. */
  readonly single: boolean
  readonly physical: SchemaElement
  /** Levels of a value that is not null. */
  readonly maxDefinition: number
  readonly maxRepetition: number
  /** Definition level from which on a list has an element, which may be null. */
  readonly elementDefinition: number
  /** Its index among the column chunks of a row group. */
  readonly leaf: number
}

export interface ChunkPlace {
  readonly codec: string
  readonly from: number
  readonly to: number
}

export interface ParquetFooter {
  readonly rows: number
  readonly groupRows: readonly number[]
  readonly columns: readonly ParquetColumn[]
  place(group: number, column: ParquetColumn): ChunkPlace
}

/** @throws InvalidFileError when it is truncated, damaged, or uses an unsupported feature; PathError for a pipe */
export async function readParquetFooter(bytes: ByteReader): Promise<ParquetFooter> {
  const byteLength = knownByteLength(bytes, 'Parquet')
  const { path } = bytes
  const tail = new Uint8Array(TAIL_BYTES)
  if (byteLength < TAIL_BYTES + 4) {
    throw new InvalidFileError(path, `it is truncated: ${byteLength} bytes are too few for Parquet`, {
      offset: byteLength,
    })
  }
  await readExactly(bytes, tail, byteLength - TAIL_BYTES)
  if (!PARQUET_MAGIC.every((byte, i) => tail[4 + i] === byte)) {
    const hex = Buffer.from(tail.subarray(4)).toString('hex')
    const reason = `it is truncated, or not Parquet: expected 50415231 (PAR1) as its last bytes, got ${hex}`
    throw new InvalidFileError(path, reason, { offset: byteLength - 4 })
  }
  const metadataBytes = new DataView(tail.buffer).getUint32(0, true)
  if (metadataBytes > Math.min(byteLength - TAIL_BYTES - 4, MAX_METADATA_BYTES)) {
    const most = Math.min(byteLength - TAIL_BYTES - 4, MAX_METADATA_BYTES)
    const reason = `its Parquet metadata claims ${metadataBytes} bytes, expected at most ${most}`
    throw new InvalidFileError(path, reason, { offset: byteLength - TAIL_BYTES })
  }
  const metadataAt = byteLength - TAIL_BYTES - metadataBytes
  const footer = new Uint8Array(metadataBytes + TAIL_BYTES)
  await readExactly(bytes, footer, metadataAt)
  const refuse = (reason: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(path, reason, { offset: metadataAt, cause })
  if (thriftEnd(footer.subarray(0, metadataBytes), 0) < 0) throw refuse('its Parquet metadata is damaged')
  let metadata: FileMetaData
  try {
    metadata = parquetMetadata(footer, { geoparquet: false })
  } catch (cause) {
    throw refuse(`its Parquet metadata is damaged (${messageOf(cause)})`, cause)
  }
  const footerOf = footerOfMetadata(metadata, byteLength, refuse)
  if (typeof footerOf === 'string') throw refuse(footerOf)
  return footerOf
}

type Refuse = (reason: string) => InvalidFileError

function footerOfMetadata(metadata: FileMetaData, byteLength: number, refuse: Refuse): ParquetFooter | string {
  const columns = columnsOf(metadata.schema)
  if (typeof columns === 'string') return columns
  const groupRows = metadata.row_groups.map(({ num_rows: rows }) => Number(rows))
  const rows = Number(metadata.num_rows)
  const sum = groupRows.reduce((all, count) => all + count, 0)
  if (groupRows.some((count) => !(count >= 0)) || sum !== rows || !Number.isSafeInteger(rows)) {
    return `its Parquet metadata says ${rows} rows, and its row groups have ${sum}`
  }
  return {
    rows,
    groupRows,
    columns,
    place(group, { name, leaf }) {
      const chunk = metadata.row_groups[group].columns.at(leaf)
      const meta = chunk?.meta_data
      if (meta?.path_in_schema[0] !== name) throw refuse(`row group ${group} has no column ${JSON.stringify(name)}`)
      if (chunk?.file_path) throw refuse(`its column ${JSON.stringify(name)} is in another file, which is not read`)
      // A dictionary comes first; some writers leave its offset out.
      const from = Number(meta.dictionary_page_offset || meta.data_page_offset)
      const to = from + Number(meta.total_compressed_size)
      if (!(from >= 4 && to >= from && to <= byteLength)) {
        throw refuse(`row group ${group} says that column ${JSON.stringify(name)} is at bytes ${from} to ${to}`)
      }
      return { codec: meta.codec, from, to }
    },
  }
}

/** The leaf columns of the table, in order; nested columns cannot be read. */
function columnsOf(schema: readonly SchemaElement[]): ParquetColumn[] | string {
  if (schema.length === 0 || schema.length > MAX_SCHEMA_ELEMENTS) {
    return `its Parquet schema has ${schema.length} elements, expected 1 to ${MAX_SCHEMA_ELEMENTS}`
  }
  const columns: ParquetColumn[] = []
  let at = 1
  let leaf = 0
  /** Walks the element at `at` and its children; false when the schema ends too early. */
  const walk = (levels: Levels, depth: number): boolean => {
    const element = schema.at(at++)
    if (element === undefined || depth > MAX_SCHEMA_DEPTH) return false
    const inner = levelsIn(levels, element)
    const children = element.num_children ?? 0
    if (children > 0) {
      for (let child = 0; child < children; child++) {
        const [alone, single] = [inner.alone && children === 1, inner.single && !(inner.inList && children > 1)]
        if (!walk({ ...inner, alone, single }, depth + 1)) return false
      }
      return true
    }
    columns.push(columnOf(levels.name ?? element.name, element, inner, leaf++))
    return true
  }
  for (let child = 0; child < (schema[0].num_children ?? 0); child++) {
    if (!walk({ ...OUTSIDE, name: schema.at(at)?.name }, 0)) {
      return 'its Parquet schema is damaged'
    }
  }
  return at === schema.length ? columns : 'its Parquet schema is damaged'
}

interface Levels {
  readonly definition: number
  readonly repetition: number
  readonly element: number
  /** True when no group above has another child. */
  readonly alone: boolean
  /** True when no list above has another child. */
  readonly single: boolean
  readonly inList: boolean
  readonly path: string | undefined
  /** Name of the column. */
  readonly name: string | undefined
}

const OUTSIDE: Omit<Levels, 'name'> = {
  definition: 0,
  repetition: 0,
  element: 0,
  alone: true,
  single: true,
  inList: false,
  path: '',
}

function levelsIn(levels: Levels, element: SchemaElement): Levels {
  const { repetition_type: type, converted_type: converted, logical_type: logical } = element
  const definition = levels.definition + (type === 'REQUIRED' ? 0 : 1)
  const inList = levels.inList || type === 'REPEATED' || converted === 'LIST' || logical?.type === 'LIST'
  const path = levels.inList ? levels.path : pathIn(levels.path, element.name)
  const inner = { ...levels, definition, inList, path }
  if (type !== 'REPEATED') return inner
  return { ...inner, repetition: levels.repetition + 1, element: definition }
}

/** A damaged element may have no name. */
function pathIn(path: string | undefined, name: string | undefined): string | undefined {
  if (path === undefined || name === undefined || path.length + name.length > MAX_NAME) return undefined
  return path === '' ? name : `${path}.${name}`
}

function columnOf(name: string, physical: SchemaElement, levels: Levels, leaf: number): ParquetColumn {
  const { definition, repetition, element, alone, path, single } = levels
  const kind = kindOf(physical, repetition, alone)
  const isList = repetition === 1 && alone
  const what = physical.logical_type?.type ?? physical.converted_type ?? physical.type ?? 'a group'
  return {
    name,
    type: isList ? `lists of ${what}` : alone && repetition === 0 ? what : `nested ${what}`,
    use: kind === undefined ? 'none' : !isList ? 'id' : kind === 'i4' ? 'byte vector' : 'vector',
    kind,
    path,
    single,
    physical,
    maxDefinition: definition,
    maxRepetition: repetition,
    elementDefinition: element,
    leaf,
  }
}

function kindOf(physical: SchemaElement, repetition: number, alone: boolean): ColumnKind | undefined {
  const { type, logical_type: logical, converted_type: converted, type_length: width } = physical
  if (!alone || repetition > 1) return undefined
  if (repetition === 1) {
    if (type === 'FLOAT') return 'f4'
    if (type === 'DOUBLE') return 'f8'
    // Integers of 8 bits are stored in 32.
    if (type === 'INT32' && isByte(physical)) return 'i4'
    return type === 'FIXED_LEN_BYTE_ARRAY' && logical?.type === 'FLOAT16' && width === 2 ? 'f2' : undefined
  }
  if (type === 'FIXED_LEN_BYTE_ARRAY') return width === UUID_BYTES && isUuid(physical) ? 'uuid' : undefined
  // Dates, times and decimals are stored as integers, but are not ids.
  const plain = logical === undefined || logical.type === 'INTEGER'
  const integer = converted === undefined || /^U?INT_/.test(converted)
  if (type === 'INT32' && plain && integer) return 'i4'
  if (type === 'INT64' && plain && integer) return 'i8'
  const isText =
    logical?.type === 'STRING' || converted === 'UTF8' || (logical === undefined && converted === undefined)
  return type === 'BYTE_ARRAY' && isText ? 'text' : undefined
}

const UUID_BYTES = 16

/** Sixteen bytes without another meaning are taken for a UUID: many writers cannot say that they are one. */
function isUuid({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return logical?.type === 'UUID' || (logical === undefined && converted === undefined)
}

function isByte({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return converted === 'INT_8' || converted === 'UINT_8' || (logical?.type === 'INTEGER' && logical.bitWidth === 8)
}
