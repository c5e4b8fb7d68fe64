/** One record batch: reads slices of rows from the buffers of a column, and holds only the slice. */
import { InvalidFileError } from '../../errors.js'
import { integerId } from '../../api/integer-id.js'
import type { Id } from '../../api/vectors.js'
import { readExactly, type ByteReader } from '../bytes/byte-reader.js'
import type { ArrowColumn, ArrowIds, ArrowList } from './arrow-columns.js'
import { RECORD_BATCH, type ArrowMessage } from './arrow-message.js'
import { nullVector, wrongLength } from '../tables/list-rows.js'

interface Region {
  readonly at: number
  readonly bytes: number
}

/** The vectors of a slice, up to the first list that is not a vector. */
export interface VectorSlice {
  readonly vectors: Float32Array
  readonly failure: InvalidFileError | undefined
}

const MAX_TEXT_BYTES = 64 * 1024 * 1024

export class ArrowBatch {
  readonly #bytes: ByteReader
  readonly #message: ArrowMessage
  readonly #nodes: readonly number[]
  readonly #buffers: readonly number[]
  readonly rows: number

  /** @throws InvalidFileError when the message is not a record batch, damaged or compressed */
  constructor(bytes: ByteReader, message: ArrowMessage) {
    this.#bytes = bytes
    this.#message = message
    const { type, header } = message
    if (type !== RECORD_BATCH) throw this.#damaged(`a message of type ${type}`)
    try {
      this.rows = header.int64(0)
      this.#nodes = header.int64s(1, 2)
      this.#buffers = header.int64s(2, 2)
      if (header.table(3) !== undefined) {
        const reason = 'its record batches are compressed, which is not read; write them uncompressed'
        throw new InvalidFileError(bytes.path, `${reason} (pyarrow: compression='uncompressed', or none)`, {
          offset: message.at,
        })
      }
    } catch (cause) {
      throw cause instanceof InvalidFileError ? cause : this.#damaged('metadata that is damaged', cause)
    }
    if (!(this.rows >= 0 && Number.isSafeInteger(this.rows))) throw this.#damaged(`${this.rows} rows`)
  }

  /** The length of the first list that is not null or empty; 0 when there is none. */
  async firstLength(column: ArrowColumn, list: ArrowList): Promise<number> {
    if (list.offsetBytes === 0) return list.size
    const at = 4096
    for (let row = 0; row < this.rows; row += at) {
      const offsets = await this.#offsets(column, list.offsetBytes, row, Math.min(at, this.rows - row))
      for (let i = 1; i < offsets.length; i++) if (offsets[i] > offsets[i - 1]) return offsets[i] - offsets[i - 1]
    }
    return 0
  }

  /** `count` rows from `row` on; `firstRow` is the batch's first row in the file, for messages. */
  async vectors(
    column: ArrowColumn,
    list: ArrowList,
    { row, count, firstRow, dimensions, skip }: VectorRange,
  ): Promise<VectorSlice> {
    const lists = await this.#validity(column, 0, row, count)
    const offsets =
      list.offsetBytes === 0
        ? Float64Array.from({ length: count + 1 }, (_, i) => (row + i) * dimensions)
        : await this.#offsets(column, list.offsetBytes, row, count)
    let usable = 0
    let failure: InvalidFileError | undefined
    for (; usable < count && failure === undefined; usable++) {
      const length = offsets[usable + 1] - offsets[usable]
      if (lists !== undefined && !isSet(lists, usable)) {
        if (!skip) failure = nullVector(this.#bytes.path, firstRow + row + usable)
      } else if (length !== dimensions) {
        failure = wrongLength(this.#bytes.path, firstRow + row + usable, length, dimensions)
      }
    }
    if (failure !== undefined) usable--
    const [from, to] = [offsets[0], offsets[usable]]
    // Null lists may have values too.
    if (to - from > count * MAX_UNDER_NULL * dimensions) throw this.#damaged('lists with too many values')
    const values = await this.#values(column, list, from, to - from)
    const items = await this.#validity(column, 1, from, to - from)
    if (lists === undefined && items === undefined) return { vectors: values, failure }
    return this.#withNulls({ values, items, lists, offsets, usable, failure, row: firstRow + row, dimensions, skip })
  }

  #withNulls(parts: NullParts): VectorSlice {
    const { values, items, lists, offsets, usable, failure, row, dimensions, skip } = parts
    const vectors = new Float32Array(usable * dimensions)
    for (let i = 0; i < usable; i++) {
      const from = offsets[i] - offsets[0]
      const into = vectors.subarray(i * dimensions, (i + 1) * dimensions)
      if (
        (lists !== undefined && !isSet(lists, i)) ||
        (items !== undefined && hasUnset(items, from, from + dimensions))
      ) {
        if (!skip)
          return { vectors: vectors.subarray(0, i * dimensions), failure: nullVector(this.#bytes.path, row + i) }
        into.fill(NaN)
      } else {
        into.set(values.subarray(from, from + dimensions))
      }
    }
    return { vectors, failure }
  }

  async ids(column: ArrowColumn, shape: ArrowIds, row: number, count: number): Promise<Id[]> {
    const validity = await this.#validity(column, 0, row, count)
    if (validity !== undefined && hasUnset(validity, 0, count)) {
      throw this.#damaged(`a null in its column ${JSON.stringify(column.name)}, expected an id in every row:`)
    }
    if (shape.kind === 'integer') return this.#integers(column, shape, row, count)
    const offsets = await this.#offsets(column, shape.offsetBytes, row, count)
    const [from, to] = [offsets[0], offsets[count]]
    if (to - from > MAX_TEXT_BYTES) throw this.#damaged(`${to - from} bytes of ids in ${count} rows`)
    const text = await this.#read(this.#region(column, 2), from, to - from)
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    try {
      return Array.from({ length: count }, (_, i) =>
        decoder.decode(text.subarray(offsets[i] - from, offsets[i + 1] - from)),
      )
    } catch (cause) {
      throw this.#damaged(`text that is not UTF-8 in its column ${JSON.stringify(column.name)}:`, cause)
    }
  }

  async #integers(
    column: ArrowColumn,
    { bytes, signed }: Extract<ArrowIds, { kind: 'integer' }>,
    row: number,
    count: number,
  ): Promise<Id[]> {
    const { buffer } = await this.#read(this.#region(column, 1), row * bytes, count * bytes)
    const words = {
      1: signed ? Int8Array : Uint8Array,
      2: signed ? Int16Array : Uint16Array,
      4: signed ? Int32Array : Uint32Array,
      8: signed ? BigInt64Array : BigUint64Array,
    }[bytes]
    return Array.from(new words(buffer) as ArrayLike<number | bigint>, (value) =>
      typeof value === 'bigint' ? integerId(value) : value,
    )
  }

  async #values(
    column: ArrowColumn,
    { values, offsetBytes }: ArrowList,
    from: number,
    count: number,
  ): Promise<Float32Array> {
    const region = this.#region(column, offsetBytes === 0 ? 2 : 3)
    const { buffer } = await this.#read(region, from * values.bytes, count * values.bytes)
    if (values.widen === undefined) return new Float32Array(buffer)
    const into = new Float32Array(count)
    values.widen(buffer, count, into)
    return into
  }

  /** `count` + 1 offsets, each at least as large as the one before. */
  async #offsets(column: ArrowColumn, width: 4 | 8, row: number, count: number): Promise<Float64Array> {
    const { buffer } = await this.#read(this.#region(column, 1), row * width, (count + 1) * width)
    const offsets =
      width === 4 ? Float64Array.from(new Int32Array(buffer)) : Float64Array.from(new BigInt64Array(buffer), Number)
    for (let i = 0; i <= count; i++) {
      if (!(offsets[i] >= (i === 0 ? 0 : offsets[i - 1]))) throw this.#damaged('offsets that go back')
    }
    return offsets
  }

  /** One byte for each value, 0 for null; undefined when none is null. `level` 1 is the values of a list. */
  async #validity(column: ArrowColumn, level: 0 | 1, from: number, count: number): Promise<Uint8Array | undefined> {
    const node = this.#place(column.node) + level
    const nulls = this.#nodes.at(2 * node + 1)
    if (nulls === undefined) throw this.#damaged('too few nodes')
    const place = level === 0 ? 0 : column.shape?.kind === 'list' && column.shape.offsetBytes === 0 ? 1 : 2
    const region = this.#region(column, place)
    if (nulls === 0 || region.bytes === 0) return undefined
    const first = Math.floor(from / 8)
    const bits = await this.#read(region, first, Math.ceil((from + count) / 8) - first)
    const shift = from - 8 * first
    return Uint8Array.from({ length: count }, (_, i) => (bits[(shift + i) >> 3] >> ((shift + i) & 7)) & 1)
  }

  #place(place: number | undefined): number {
    if (place !== undefined) return place
    throw new InvalidFileError(
      this.#bytes.path,
      'a column before the chosen one has views, and columns after views cannot be read',
    )
  }

  /** The buffer of a column that is `index` after its first. */
  #region(column: ArrowColumn, index: number): Region {
    const place = 2 * (this.#place(column.buffer) + index)
    const [from, bytes] = [this.#buffers.at(place), this.#buffers.at(place + 1)]
    if (from === undefined || bytes === undefined) throw this.#damaged('too few buffers')
    if (!(from >= 0 && bytes >= 0 && from + bytes <= this.#message.bodyBytes)) {
      throw this.#damaged(`a buffer of ${bytes} bytes at byte ${from} of ${this.#message.bodyBytes}`)
    }
    return { at: this.#message.bodyAt + from, bytes }
  }

  async #read(region: Region, from: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (from + bytes > region.bytes) throw this.#damaged(`a buffer of ${region.bytes} bytes, expected ${from + bytes}`)
    const read = new Uint8Array(bytes)
    await readExactly(this.#bytes, read, region.at + from)
    return read
  }

  #damaged(what: string, cause?: unknown): InvalidFileError {
    return new InvalidFileError(this.#bytes.path, `it has ${what} in an Arrow record batch`, {
      offset: this.#message.at,
      cause,
    })
  }
}

/** Null lists may have values, which are not read. Limits these, as a multiple of the values of all lists. */
const MAX_UNDER_NULL = 4

export interface VectorRange {
  readonly row: number
  readonly count: number
  readonly firstRow: number
  readonly dimensions: number
  /** True: null lists become rows of NaN. */
  readonly skip: boolean
}

interface NullParts {
  readonly values: Float32Array
  readonly items: Uint8Array | undefined
  readonly lists: Uint8Array | undefined
  readonly offsets: Float64Array
  readonly usable: number
  readonly failure: InvalidFileError | undefined
  readonly row: number
  readonly dimensions: number
  readonly skip: boolean
}

function isSet(validity: Uint8Array, at: number): boolean {
  return validity[at] === 1
}

function hasUnset(validity: Uint8Array, from: number, to: number): boolean {
  const at = validity.indexOf(0, from)
  return at >= 0 && at < to
}
