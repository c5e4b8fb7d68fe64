/**
 * Reads the data pages of one column of a Parquet file, in order through all row groups. Holds one page at a time,
 * compressed and plain, so row groups of any size take no more. hyparquet decodes the encodings; this code first checks
 * a header's numbers against the bytes there are.
 */
import zlib from 'node:zlib'
import { parquetHeader } from 'hyparquet/src/column.js'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit, readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import type { PageHeader } from 'hyparquet/src/types.js'
import { InvalidFileError } from '../../errors.js'
import { readFully, readExactly, type ByteReader } from '../bytes/byte-reader.js'
import { widenHalves } from '../rows/value-type.js'
import { decompressPage } from './decompress-page.js'
import type { ChunkPlace, ColumnKind, ParquetColumn, ParquetFooter } from './parquet-footer.js'
import { CUT, thriftEnd } from './thrift-end.js'
import { messageOf, viewKind } from '../../runtime/realms.js'

/** DuckDB writes pages of up to 100 MB, most other writers of 1 MiB. */
const MAX_PAGE_BYTES = 128 * 1024 * 1024
const MAX_PAGE_VALUES = 32 * 1024 * 1024
const HEADER_BYTES = 16 * 1024
/** A header's statistics may have long texts. */
const MAX_HEADER_BYTES = 1 << 20

/** Text and other bytes as bytes, bits as bytes of 0 and 1. */
export type PageValues = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | readonly Uint8Array[]

export interface DataPage {
  readonly group: number
  /** Number of values and nulls. */
  readonly count: number
  /** Levels of all values and nulls; undefined when the column has none. */
  readonly repetitions: Uint8Array | undefined
  readonly definitions: Uint8Array | undefined
  /** The values that are not null. */
  readonly values: PageValues
}

/**
 * Yields the pages from a row group on.
 * @throws InvalidFileError with the offset of the page that is damaged, or of a codec or encoding that is not read
 */
export async function* columnPages(
  bytes: ByteReader,
  footer: ParquetFooter,
  column: ParquetColumn,
  fromGroup: number,
): AsyncGenerator<DataPage, void, void> {
  for (let group = fromGroup; group < footer.groupRows.length; group++) {
    if (footer.groupRows[group] === 0) continue
    yield* new ChunkReader(bytes, column, footer.place(group, column), group).pages()
  }
}

class ChunkReader {
  readonly #bytes: ByteReader
  readonly #column: ParquetColumn
  readonly #place: ChunkPlace
  readonly #group: number
  #at: number
  #dictionary: PageValues | undefined

  constructor(bytes: ByteReader, column: ParquetColumn, place: ChunkPlace, group: number) {
    this.#bytes = bytes
    this.#column = column
    this.#place = place
    this.#group = group
    this.#at = place.from
  }

  async *pages(): AsyncGenerator<DataPage, void, void> {
    while (this.#at < this.#place.to) {
      const pageAt = this.#at
      const { header, bodyAt } = await this.#header()
      const size = header.compressed_page_size
      this.#at = bodyAt + size
      if (header.type === 'INDEX_PAGE') continue
      // A separate buffer: values may be views of it, and lengths beyond it must not reach another page.
      const body = new Uint8Array(size)
      await readExactly(this.#bytes, body, bodyAt)
      if (header.crc !== undefined && zlib.crc32(body) !== header.crc >>> 0)
        throw this.#damaged(pageAt, 'its checksum differs')
      let page: DataPage | undefined
      try {
        page = this.#decode(header, body)
      } catch (cause) {
        throw this.#damaged(pageAt, messageOf(cause), cause)
      }
      if (page !== undefined) yield page
    }
  }

  async #header(): Promise<{ header: PageHeader; bodyAt: number }> {
    const at = this.#at
    const left = this.#place.to - at
    for (let length = HEADER_BYTES; ; length *= 4) {
      const start = new Uint8Array(Math.min(length, left))
      const got = start.subarray(0, await readFully(this.#bytes, start, at))
      const end = thriftEnd(got, 0)
      if (end === CUT && length < Math.min(left, MAX_HEADER_BYTES)) continue
      if (end < 0) throw this.#damaged(at, 'it has no header')
      const header = this.#parsed(got.subarray(0, end), at)
      const { compressed_page_size: packed, uncompressed_page_size: plain } = header
      if (!(packed >= 0 && at + end + packed <= this.#place.to)) throw this.#damaged(at, `it claims ${packed} bytes`)
      if (!(plain >= 0 && plain <= MAX_PAGE_BYTES && packed <= MAX_PAGE_BYTES)) {
        throw this.#damaged(at, `it claims ${plain} bytes, expected at most ${MAX_PAGE_BYTES}; write smaller pages`)
      }
      return { header, bodyAt: at + end }
    }
  }

  #parsed(bytes: Uint8Array, at: number): PageHeader {
    try {
      const header = parquetHeader({ view: viewOf(bytes), offset: 0 })
      // Damage may turn any of them into an integer of 64 bits, which is a bigint.
      const sizes: unknown[] = [header.compressed_page_size, header.uncompressed_page_size, header.crc ?? 0]
      if (sizes.every((size) => typeof size === 'number')) return header
      throw new Error('its sizes are no integers of 32 bits')
    } catch (cause) {
      throw this.#damaged(at, 'it has no header', cause)
    }
  }

  #damaged(offset: number, reason: string, cause?: unknown): InvalidFileError {
    const where = `the Parquet page of column ${JSON.stringify(this.#column.name)}`
    return new InvalidFileError(this.#bytes.path, `${where} cannot be read: ${reason}`, { offset, cause })
  }

  /** Decodes a page; undefined for a dictionary page, which is kept. */
  #decode(header: PageHeader, body: Uint8Array): DataPage | undefined {
    const { codec } = this.#place
    if (header.type === 'DICTIONARY_PAGE') {
      const count = checkedCount(header.dictionary_page_header?.num_values)
      const plain = decompressPage(body, header.uncompressed_page_size, codec)
      this.#dictionary = decodeValues(new Input(plain), 'PLAIN', count, this.#column, undefined)
      return undefined
    }
    if (header.type === 'DATA_PAGE') {
      const { num_values: claimed, encoding } = present(header.data_page_header)
      const count = checkedCount(claimed)
      const input = new Input(decompressPage(body, header.uncompressed_page_size, codec))
      const repetitions = levels(input, this.#column.maxRepetition, count, undefined)
      const definitions = levels(input, this.#column.maxDefinition, count, undefined)
      return this.#page(count, repetitions, definitions, input, encoding)
    }
    if (header.type === 'DATA_PAGE_V2') {
      const v2 = present(header.data_page_header_v2)
      const count = checkedCount(v2.num_values)
      const [repetitionBytes, definitionBytes] = [v2.repetition_levels_byte_length, v2.definition_levels_byte_length]
      const levelBytes = repetitionBytes + definitionBytes
      if (!(repetitionBytes >= 0 && definitionBytes >= 0 && levelBytes <= body.length)) {
        throw new Error('its levels are longer than the page')
      }
      const input = new Input(body)
      const repetitions = levels(input, this.#column.maxRepetition, count, repetitionBytes)
      input.offset = repetitionBytes
      const definitions = levels(input, this.#column.maxDefinition, count, definitionBytes)
      const packed = body.subarray(levelBytes)
      const plainBytes = header.uncompressed_page_size - levelBytes
      const plain = v2.is_compressed === false ? packed : decompressPage(packed, plainBytes, codec)
      return this.#page(count, repetitions, definitions, new Input(plain), v2.encoding)
    }
    throw new Error('its type is unknown')
  }

  #page(
    count: number,
    repetitions: Uint8Array | undefined,
    definitions: Uint8Array | undefined,
    input: Input,
    encoding: string,
  ): DataPage {
    let there = count
    if (definitions !== undefined) {
      there = 0
      for (const level of definitions) if (level === this.#column.maxDefinition) there++
    }
    const values = decodeValues(input, encoding, there, this.#column, this.#dictionary)
    return { group: this.#group, count, repetitions, definitions, values }
  }
}

/** hyparquet's reader: a view and an offset in it. */
class Input {
  readonly view: DataView
  offset = 0

  constructor(readonly bytes: Uint8Array) {
    this.view = viewOf(bytes)
  }

  get left(): number {
    return this.bytes.length - this.offset
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function present<Header>(header: Header | undefined): Header {
  if (header === undefined) throw new Error('its header is not complete')
  return header
}

function checkedCount(count: number | undefined): number {
  if (count !== undefined && count >= 0 && count <= MAX_PAGE_VALUES) return count
  throw new Error(`it claims ${count ?? 'no'} values, expected at most ${MAX_PAGE_VALUES}`)
}

/** `length` is undefined when four bytes before the levels hold it. */
function levels(input: Input, max: number, count: number, length: number | undefined): Uint8Array | undefined {
  if (max === 0) return undefined
  const read = new Uint8Array(count)
  readRleBitPackedHybrid(input, 32 - Math.clz32(max), read, length)
  if (input.left < 0) throw new Error('its levels are longer than the page')
  return read
}

function decodeValues(
  input: Input,
  encoding: string,
  count: number,
  { kind, physical }: ParquetColumn,
  dictionary: PageValues | undefined,
): PageValues {
  if (kind === undefined) throw new Error('its type is not read')
  if (encoding === 'PLAIN') return plainValues(input, count, kind, physical.type_length ?? 0)
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (dictionary === undefined) throw new Error('its dictionary is missing')
    return lookUp(dictionary, places(input, count))
  }
  if (
    encoding === 'BYTE_STREAM_SPLIT' &&
    (kind === 'f2' || kind === 'f4' || kind === 'f8' || kind === 'i4' || kind === 'i8')
  )
    return splitValues(input, count, kind, physical.type)
  if (encoding === 'RLE' && kind === 'bool') {
    const bits = new Uint8Array(count)
    if (count > 0) readRleBitPackedHybrid(input, 1, bits, undefined)
    if (input.left < 0) throw new Error('its bits are longer than the page')
    return bits
  }
  if (encoding === 'DELTA_BINARY_PACKED' && (kind === 'i4' || kind === 'i8')) {
    const values = kind === 'i4' ? new Int32Array(count) : new BigInt64Array(count)
    deltaBinaryUnpack(input, count, values)
    return values
  }
  const isBytes = kind === 'text' || kind === 'uuid' || kind === 'fixed'
  if (isBytes && (encoding === 'DELTA_LENGTH_BYTE_ARRAY' || encoding === 'DELTA_BYTE_ARRAY')) {
    const values: Uint8Array[] = []
    const decode = encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray
    decode(input, count, values)
    if (values.length !== count) throw new Error(`it has ${values.length} values, expected ${count}`)
    return values
  }
  throw new Error(`the encoding ${encoding} is not read`)
}

/** Bytes of a value, at least. */
const KIND_BYTES: Readonly<Record<ColumnKind, number>> = {
  f2: 2,
  f4: 4,
  f8: 8,
  i4: 4,
  i8: 8,
  i12: 12,
  bool: 0.125,
  text: 4,
  uuid: 16,
  fixed: 1,
}
const PHYSICAL = { f4: 'FLOAT', f8: 'DOUBLE', i4: 'INT32', i8: 'INT64', text: 'BYTE_ARRAY' } as const

function needBytes(input: Input, bytes: number): void {
  if (bytes > input.left) throw new Error(`it has ${input.left} bytes of values, expected ${bytes}`)
}

function plainValues(input: Input, count: number, kind: ColumnKind, width: number): PageValues {
  needBytes(input, Math.ceil(count * (kind === 'fixed' ? width : KIND_BYTES[kind])))
  if (count === 0) return new Float32Array(0)
  if (kind === 'uuid' || kind === 'fixed') {
    const from = (i: number): number => input.offset + i * width
    return Array.from({ length: count }, (_, i) => input.bytes.subarray(from(i), from(i + 1)))
  }
  if (kind === 'bool') return Uint8Array.from({ length: count }, (_, i) => bitAt(input.bytes, input.offset, i))
  if (kind === 'i12') return nanoseconds(input.view, input.offset, count)
  if (kind !== 'f2') return readPlain(input, PHYSICAL[kind], count, undefined) as PageValues
  const at = input.bytes.byteOffset + input.offset
  return halves(new Uint16Array(input.bytes.buffer.slice(at, at + 2 * count)))
}

function bitAt(bytes: Uint8Array, from: number, i: number): number {
  return (bytes[from + (i >> 3)] >> (i & 7)) & 1
}

const INT96_BYTES = 12
/** 1970-01-01 as INT96 counts days. */
const JULIAN_1970 = 2_440_588
const DAY_NANOSECONDS = 86_400_000_000_000n

/** INT96: nanoseconds of the day, and the Julian day. */
function nanoseconds(view: DataView, from: number, count: number): BigInt64Array {
  const values = new BigInt64Array(count)
  for (let i = 0; i < count; i++) {
    const at = from + i * INT96_BYTES
    const day = view.getInt32(at + 8, true) - JULIAN_1970
    values[i] = BigInt(day) * DAY_NANOSECONDS + view.getBigInt64(at, true)
  }
  return values
}

function splitValues(input: Input, count: number, kind: 'f2' | 'f4' | 'f8' | 'i4' | 'i8', type: unknown): PageValues {
  needBytes(input, count * KIND_BYTES[kind])
  if (kind !== 'f2') return byteStreamSplit(input, count, type as 'FLOAT', undefined) as PageValues
  const low = input.bytes.subarray(input.offset)
  return halves(Uint16Array.from({ length: count }, (_, i) => low[i] | (low[count + i] << 8)))
}

function halves(values: Uint16Array): Float32Array {
  const into = new Float32Array(values.length)
  widenHalves(values, into)
  return into
}

/** Indexes into the dictionary: a byte of bit width, then RLE and bit-packed runs. */
function places(input: Input, count: number): Uint32Array {
  const read = new Uint32Array(count)
  if (count === 0) return read
  const width = input.view.getUint8(input.offset++)
  if (width > 32) throw new Error(`it has dictionary indexes of ${width} bits`)
  if (width > 0) readRleBitPackedHybrid(input, width, read, input.left)
  return read
}

function lookUp(dictionary: PageValues, from: Uint32Array): PageValues {
  for (const place of from) if (place >= dictionary.length) throw new Error('it has an index beyond its dictionary')
  if (!ArrayBuffer.isView(dictionary)) return Array.from(from, (place) => dictionary[place])
  const kind = viewKind(dictionary)
  if (kind === 'Uint8Array') return Uint8Array.from(from, (place) => (dictionary as Uint8Array)[place])
  if (kind === 'BigInt64Array') return BigInt64Array.from(from, (place) => (dictionary as BigInt64Array)[place])
  const values =
    kind === 'Float64Array'
      ? new Float64Array(from.length)
      : kind === 'Int32Array'
        ? new Int32Array(from.length)
        : new Float32Array(from.length)
  const numbers = dictionary as Exclude<typeof dictionary, BigInt64Array>
  for (let i = 0; i < from.length; i++) values[i] = numbers[from[i]]
  return values
}
