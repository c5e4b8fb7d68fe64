/**
 * The buffers of one record batch, read by position. Compressed buffers are decompressed in order as they are read, so a
 * batch of any size takes a window of the compression for each of its columns that is read.
 */
import { InvalidFileError } from '../../errors.js'
import { readExactly, type ByteReader } from '../bytes/byte-reader.js'
import { bytesWithin, ForwardBytes } from '../bytes/forward-bytes.js'
import { unlz4 } from '../bytes/unlz4.js'
import { unzstd } from '../bytes/unzstd.js'
import type { ArrowPlace } from './arrow-columns.js'
import { DICTIONARY_BATCH, RECORD_BATCH, type ArrowMessage } from './arrow-message.js'
import type { FlatTable } from './flat-table.js'

type Decompress = (bytes: ByteReader) => AsyncGenerator<Uint8Array, void, void>

/** By the number of a codec in Arrow's Message.fbs. */
const CODECS: readonly Decompress[] = [unlz4, unzstd]
/** A compressed buffer begins with its plain size, or −1 when it is not compressed after all. */
const SIZE_BYTES = 8

export class ArrowBuffers {
  readonly path: string
  readonly rows: number
  readonly #bytes: ByteReader
  readonly #message: ArrowMessage
  readonly #nodes: readonly number[]
  readonly #buffers: readonly number[]
  /** Data buffers of each column of views. */
  readonly #viewBuffers: readonly number[]
  readonly #decompress: Decompress | undefined
  readonly #opened = new Map<number, ByteReader>()

  /** @throws InvalidFileError when the message is neither a record batch nor a dictionary, or damaged */
  constructor(bytes: ByteReader, message: ArrowMessage) {
    this.path = bytes.path
    this.#bytes = bytes
    this.#message = message
    const { type } = message
    if (type !== RECORD_BATCH && type !== DICTIONARY_BATCH) throw this.damaged(`a message of type ${type}`)
    try {
      const header = type === RECORD_BATCH ? message.header : message.header.table(1)
      if (header === undefined) throw new RangeError('a dictionary without values')
      this.rows = header.int64(0)
      this.#nodes = header.int64s(1, 2)
      this.#buffers = header.int64s(2, 2)
      this.#viewBuffers = header.int64s(4, 1)
      this.#decompress = this.#codec(header.table(3))
    } catch (cause) {
      throw cause instanceof InvalidFileError ? cause : this.damaged('metadata that is damaged', cause)
    }
    if (!(this.rows >= 0 && Number.isSafeInteger(this.rows))) throw this.damaged(`${this.rows} rows`)
    if (this.#viewBuffers.some((count) => !(count >= 0))) throw this.damaged('a number of buffers below 0')
  }

  #codec(compression: FlatTable | undefined): Decompress | undefined {
    if (compression === undefined) return undefined
    const [codec, method] = [compression.byte(0, 0), compression.byte(1, 0)]
    const decompress = method === 0 ? CODECS.at(codec) : undefined
    if (decompress !== undefined) return decompress
    const reason = `its record batches have the compression ${codec} (${method}), which is not read`
    throw new InvalidFileError(this.path, `${reason}; write them with lz4 or zstd, or uncompressed`, {
      offset: this.#message.at,
    })
  }

  /** Number of data buffers of a column of views. */
  viewBuffers({ views }: ArrowPlace): number {
    const count = this.#viewBuffers.at(views)
    if (count === undefined) throw this.damaged('too few numbers of buffers for its views')
    return count
  }

  /** `count` + 1 offsets, each at least as large as the one before. */
  async offsets(column: ArrowPlace, width: 4 | 8, row: number, count: number): Promise<Float64Array> {
    const { buffer } = await this.read(column, 1, row * width, (count + 1) * width)
    const offsets =
      width === 4 ? Float64Array.from(new Int32Array(buffer)) : Float64Array.from(new BigInt64Array(buffer), Number)
    for (let i = 0; i <= count; i++) {
      if (!(offsets[i] >= (i === 0 ? 0 : offsets[i - 1]))) throw this.damaged('offsets that go back')
    }
    return offsets
  }

  /**
   * One byte for each value, 0 for null; undefined when none is null. `level` 1 is the values of a list, whose validity
   * is the buffer number `place`.
   */
  async validity(
    column: ArrowPlace,
    { level, place, from, count }: { level: 0 | 1; place: number; from: number; count: number },
  ): Promise<Uint8Array | undefined> {
    const nulls = this.#nodes.at(2 * (column.node + level) + 1)
    if (nulls === undefined) throw this.damaged('too few nodes')
    if (nulls === 0 || (await this.#buffer(column, place)).byteLength === 0) return undefined
    const first = Math.floor(from / 8)
    const bits = await this.read(column, place, first, Math.ceil((from + count) / 8) - first)
    const shift = from - 8 * first
    return Uint8Array.from({ length: count }, (_, i) => (bits[(shift + i) >> 3] >> ((shift + i) & 7)) & 1)
  }

  /** Bytes of the buffer that is `index` after the column's first. */
  async read(column: ArrowPlace, index: number, from: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = await this.#buffer(column, index)
    const has = buffer.byteLength ?? 0
    if (from + bytes > has) throw this.damaged(`a buffer of ${has} bytes, expected ${from + bytes}`)
    const read = new Uint8Array(bytes)
    await readExactly(buffer, read, from)
    return read
  }

  async #buffer(column: ArrowPlace, index: number): Promise<ByteReader> {
    let place = column.buffer + index
    for (const count of this.#viewBuffers.slice(0, column.views)) place += count
    const opened = this.#opened.get(place) ?? (await this.#open(place))
    this.#opened.set(place, opened)
    return opened
  }

  async #open(place: number): Promise<ByteReader> {
    const [from, bytes] = [this.#buffers.at(2 * place), this.#buffers.at(2 * place + 1)]
    if (from === undefined || bytes === undefined) throw this.damaged('too few buffers')
    if (!(from >= 0 && bytes >= 0 && from + bytes <= this.#message.bodyBytes)) {
      throw this.damaged(`a buffer of ${bytes} bytes at byte ${from} of ${this.#message.bodyBytes}`)
    }
    const at = this.#message.bodyAt + from
    const decompress = this.#decompress
    if (decompress === undefined || bytes === 0) return bytesWithin(this.#bytes, at, bytes)
    if (bytes < SIZE_BYTES) throw this.damaged(`a compressed buffer of ${bytes} bytes`)
    const size = new Uint8Array(SIZE_BYTES)
    await readExactly(this.#bytes, size, at)
    const plainBytes = Number(new DataView(size.buffer).getBigInt64(0, true))
    const body = bytesWithin(this.#bytes, at + SIZE_BYTES, bytes - SIZE_BYTES)
    if (plainBytes === -1) return body
    if (!(plainBytes >= 0 && Number.isSafeInteger(plainBytes))) {
      throw this.damaged(`a compressed buffer that claims ${plainBytes} bytes`)
    }
    return new ForwardBytes(this.path, plainBytes, () => decompress(body))
  }

  damaged(what: string, cause?: unknown): InvalidFileError {
    return new InvalidFileError(this.path, `it has ${what} in an Arrow record batch`, {
      offset: this.#message.at,
      cause,
    })
  }
}
