/** The messages of an Arrow IPC stream, or of a file: a stream between magic numbers, with a footer at its end. */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, readExactly, type ByteReader } from '../bytes/byte-reader.js'
import { FlatTable } from './flat-table.js'

export const ARROW_MAGIC = Uint8Array.of(0x41, 0x52, 0x52, 0x4f, 0x57, 0x31)
const CONTINUATION = 0xffffffff
/** A record batch has 32 bytes of metadata a buffer, a schema about 100 bytes a field. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024
/** A footer has 24 bytes a record batch. */
const MAX_FOOTER_BYTES = 64 * 1024 * 1024
/** The footer's length and the magic number. */
const TAIL_BYTES = 10

export const [SCHEMA, DICTIONARY_BATCH, RECORD_BATCH] = [1, 2, 3]
/** V4, used since 2017. */
export const OLDEST_VERSION = 3

export interface ArrowMessage {
  /** Offset of the message in the file. */
  readonly at: number
  readonly type: number
  readonly version: number
  readonly header: FlatTable
  readonly bodyAt: number
  readonly bodyBytes: number
  /** Offset of the next message. */
  readonly end: number
}

/** The footer of a file. Files need not have a schema at their front. */
export interface ArrowFooter {
  readonly version: number
  readonly schema: FlatTable
  /** Offsets of the dictionaries, then of the record batches, in order. */
  readonly messagesAt: readonly number[]
}

/**
 * Undefined for a stream. @throws InvalidFileError when a file is truncated or its footer damaged; PathError for a pipe
 */
export async function arrowFooter(bytes: ByteReader): Promise<ArrowFooter | undefined> {
  const byteLength = knownByteLength(bytes, 'Arrow')
  const head = new Uint8Array(Math.min(ARROW_MAGIC.length, byteLength))
  await readExactly(bytes, head, 0)
  if (!ARROW_MAGIC.every((byte, i) => head[i] === byte)) return undefined
  const tail = new Uint8Array(Math.min(TAIL_BYTES, byteLength))
  const tailAt = byteLength - tail.length
  await readExactly(bytes, tail, tailAt)
  const refuse = (reason: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(bytes.path, reason, { offset: tailAt, cause })
  if (byteLength < TAIL_BYTES + 8 || !ARROW_MAGIC.every((byte, i) => tail[4 + i] === byte)) {
    const hex = Buffer.from(tail.subarray(4)).toString('hex')
    throw refuse(`it is truncated: expected 4152524f5731 (ARROW1) as its last bytes, got ${hex}`)
  }
  const footerBytes = new DataView(tail.buffer).getUint32(0, true)
  const most = Math.min(MAX_FOOTER_BYTES, tailAt - 8)
  if (footerBytes > most) throw refuse(`its Arrow footer claims ${footerBytes} bytes, expected at most ${most}`)
  const footer = new Uint8Array(footerBytes)
  await readExactly(bytes, footer, tailAt - footerBytes)
  try {
    const table = FlatTable.root(footer)
    const schema = table.table(1)
    // A block is offset, metadata length and body length; the message at the offset repeats the two lengths.
    const messagesAt = [2, 3].flatMap((field) => table.int64s(field, 3).filter((_, i) => i % 3 === 0))
    if (schema !== undefined && messagesAt.every((at) => at >= 8 && at < tailAt)) {
      return { version: table.int16(0, 0), schema, messagesAt }
    }
  } catch (cause) {
    throw refuse('its Arrow footer is damaged', cause)
  }
  throw refuse('its Arrow footer is damaged')
}

/** Undefined at the end of the stream. @throws InvalidFileError with the offset when it is truncated or damaged */
export async function messageAt(bytes: ByteReader, at: number): Promise<ArrowMessage | undefined> {
  const byteLength = knownByteLength(bytes, 'Arrow')
  const refuse = (reason: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(bytes.path, reason, { offset: at, cause })
  const start = new Uint8Array(Math.max(0, Math.min(8, byteLength - at)))
  await readExactly(bytes, start, at)
  if (start.length < 4) throw refuse('it is truncated: its Arrow stream has no end')
  const words = new DataView(start.buffer)
  // Before Arrow 0.15 the length came first.
  const isOld = words.getUint32(0, true) !== CONTINUATION
  if (!isOld && start.length < 8) throw refuse('it is truncated: its Arrow stream has no end')
  const metadataBytes = words.getUint32(isOld ? 0 : 4, true)
  if (metadataBytes === 0) return undefined
  const metadataAt = at + (isOld ? 4 : 8)
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw refuse(`an Arrow message claims ${metadataBytes} bytes of metadata, expected at most ${MAX_METADATA_BYTES}`)
  }
  const bodyAt = metadataAt + metadataBytes
  if (bodyAt > byteLength) throw refuse(`it is truncated in an Arrow message that ends at byte ${bodyAt}`)
  const metadata = new Uint8Array(metadataBytes)
  await readExactly(bytes, metadata, metadataAt)
  let parts: { type: number; version: number; header: FlatTable | undefined; bodyBytes: number }
  try {
    const message = FlatTable.root(metadata)
    parts = {
      version: message.int16(0, 0),
      type: message.byte(1, 0),
      header: message.table(2),
      bodyBytes: message.int64(3),
    }
  } catch (cause) {
    throw refuse('the metadata of an Arrow message is damaged', cause)
  }
  const { type, version, header, bodyBytes } = parts
  if (header === undefined) throw refuse('the metadata of an Arrow message is damaged')
  if (version < OLDEST_VERSION) throw refuse(`its Arrow metadata has version ${version + 1}, expected 4 or 5`)
  const end = bodyAt + bodyBytes
  if (!(bodyBytes >= 0)) throw refuse(`an Arrow message claims a body of ${bodyBytes} bytes`)
  if (end > byteLength)
    throw refuse(`it is truncated in an Arrow message whose body ends at byte ${end}, of ${byteLength}`)
  return { at, type, version, header, bodyAt, bodyBytes, end }
}
