import { InvalidFileError } from '../../errors.js'
import {
  fileFacts,
  knownByteLength,
  openFileBytes,
  readExactly,
  readFully,
  type ByteReader,
} from '../../sources/bytes/byte-reader.js'
import {
  decodeHnswlibHeader,
  HNSWLIB_DELETED,
  HNSWLIB_HEADER_BYTES,
  hnswlibSizes,
  type HnswlibHeader,
} from './hnswlib-header.js'

/** Consecutive records. */
export interface RecordRun {
  readonly first: number
  readonly count: number
  /** The record of element `first + i`. Valid until the next run. */
  record(i: number): Buffer
  /** Byte offset of that record in the file. */
  offsetOf(i: number): number
}

/** What one element has above level 0. */
export interface UpperBlocks {
  readonly element: number
  readonly level: number
  /** The links on `level`, from 1 up: a count in 16 bits, 16 bits unused, room for m elements. Valid until the next. */
  block(level: number): Buffer
  /** Byte offset of that block in the file. */
  offsetOf(level: number): number
}

const RUN_BYTES = 2 ** 20
/** Smaller, because most elements take 4 bytes here but an object each. 32 levels of the widest element take 8 KiB. */
const UPPER_RUN_BYTES = 2 ** 16

/** hnswlib's file, read front to back: the records of level 0, then the links of the levels above. */
export class HnswlibFile {
  readonly path: string
  readonly header: HnswlibHeader
  readonly byteLength: number
  readonly #bytes: ByteReader

  private constructor(bytes: ByteReader, header: HnswlibHeader, byteLength: number) {
    this.path = bytes.path
    this.header = header
    this.byteLength = byteLength
    this.#bytes = bytes
  }

  /** @throws PathError, InvalidFileError, DimensionMismatchError */
  static async open(path: string, dimensions: number): Promise<HnswlibFile> {
    const bytes = await openFileBytes(path, await fileFacts(path))
    try {
      const byteLength = knownByteLength(bytes, 'an hnswlib index')
      const head = new Uint8Array(HNSWLIB_HEADER_BYTES)
      const got = await readFully(bytes, head, 0)
      return new HnswlibFile(
        bytes,
        decodeHnswlibHeader(head.subarray(0, got), { path, byteLength, dimensions }),
        byteLength,
      )
    } catch (error) {
      await bytes.close()
      throw error
    }
  }

  async *records(): AsyncGenerator<RecordRun, void, void> {
    const { count } = this.header
    const { recordBytes } = hnswlibSizes(this.header)
    const most = Math.max(1, Math.floor(RUN_BYTES / recordBytes))
    const bytes = Buffer.alloc(Math.min(most, count) * recordBytes)
    for (let first = 0; first < count; first += most) {
      const run = Math.min(most, count - first)
      const start = HNSWLIB_HEADER_BYTES + first * recordBytes
      await readExactly(this.#bytes, bytes.subarray(0, run * recordBytes), start)
      yield {
        first,
        count: run,
        record: (i) => bytes.subarray(i * recordBytes, (i + 1) * recordBytes),
        offsetOf: (i) => start + i * recordBytes,
      }
    }
  }

  /** All elements, also the ones only on level 0. @throws InvalidFileError unless they fill the file exactly */
  async *upperBlocks(): AsyncGenerator<UpperBlocks[], void, void> {
    const { count, maxLevel } = this.header
    const { recordBytes, levelBytes } = hnswlibSizes(this.header)
    let position = HNSWLIB_HEADER_BYTES + count * recordBytes
    const buffer = Buffer.alloc(Math.max(UPPER_RUN_BYTES, 4 + maxLevel * levelBytes))
    for (let element = 0; element < count;) {
      const start = position
      const got = Math.min(buffer.length, this.byteLength - start)
      await readExactly(this.#bytes, buffer.subarray(0, got), start)
      const whole: UpperBlocks[] = []
      while (element < count && position - start + 4 <= got) {
        const at = position - start
        const length = buffer.readUInt32LE(at)
        const level = length / levelBytes
        if (!Number.isInteger(level) || level > maxLevel) {
          const reason =
            `element ${element} has ${length} bytes of links above level 0, ` +
            `expected ${levelBytes} for each of up to ${maxLevel} levels`
          throw new InvalidFileError(this.path, reason, { offset: position })
        }
        if (at + 4 + length > got) break
        whole.push({
          element: element++,
          level,
          block: (of) => buffer.subarray(at + 4 + (of - 1) * levelBytes, at + 4 + of * levelBytes),
          offsetOf: (of) => start + at + 4 + (of - 1) * levelBytes,
        })
        position += 4 + length
      }
      // The buffer has room for any element, so an incomplete one here is incomplete in the file.
      if (whole.length === 0) {
        throw new InvalidFileError(this.path, `it ends inside the links of element ${element}`, { offset: start + got })
      }
      yield whole
    }
    if (position !== this.byteLength) {
      throw new InvalidFileError(this.path, `${this.byteLength - position} bytes follow the last element`, {
        offset: position,
      })
    }
  }

  close(): Promise<void> {
    return this.#bytes.close()
  }
}

export function isDeleted(record: Buffer): boolean {
  return (record[2] & HNSWLIB_DELETED) !== 0
}
