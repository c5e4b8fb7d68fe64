/**
 * One change as one frame of a log. Pure functions on bytes.
 *
 * Layout (little-endian): [0] u32 payload bytes [4] u32 rows [8] u32 kind: 1 upsert, 2 delete, 3 mark [12] u32 flags: bit 0 set
 * with a column of sequences, bit 1 with fields [16] f64 first sequence [24] f64 synced [32] u32 chain [36] u32 CRC-32 of the 36 bytes
 * before it, continuing from the CRC of the file's header. [40] payload, zeros up to a multiple of 8.
 *
 * The payload: with bit 0, rows x f64 sequences, ascending, the first of them the first sequence; for an upsert,
 * rows x dimensions x f32; with bit 1, which only an upsert has, rows + 1 u32 offsets from 0 on, and the field rows that
 * lie between them; the ids as in an ids segment (`encode-ids.ts`). Without bit 0 row i has the first sequence + i, and
 * the frame follows a frame of smaller sequences. Every frame begins at a multiple of 8 of the file.
 *
 * The chain is the CRC-32 of bytes 0 to 31 and of everything from byte 40 on, continuing from the chain of the frame
 * before (of the file's header, for the first). So a frame is sound only in its place. The header has a separate CRC:
 * a damaged length would otherwise hide every frame after it.
 *
 * `synced` is the last sequence that was known to be on the device when the frame was written, 0 for none. It proves
 * that a bad frame before it was whole once, and is damage, not the torn end of an interrupted write. A mark has no rows
 * and no payload: it says so of the last frame, when a writer leaves a log. In place of the first sequence it has the last
 * one that was given, also to a change whose write failed and was cut off again.
 */
import { crc32 } from '../../../spill/files/crc32.js'
import { CorruptIndexError } from '../../errors.js'
import { FieldRows } from '../../fields/field-rows.js'
import { decodeId, encodedIdsBytes, idsView, writeIds } from '../ids/encode-ids.js'
import { sequenceFault, type Change } from './log-change.js'

export const FRAME_HEADER_BYTES = 40
/** Most bytes of a payload. A reader needs room for one frame. */
export const MAX_PAYLOAD_BYTES = 64 * 2 ** 20

const KIND_NUMBERS = { upsert: 1, delete: 2 } as const
const MARK = 3
const SEQUENCES_FLAG = 1
const FIELDS_FLAG = 2
const CHAINED_BYTES = 32
const CRC_OFFSET = 36

/** What a frame has to know of the log that it is for. */
export interface FramePlace {
  readonly dimensions: number
  /** The CRC of the log's header. */
  readonly fileCrc: number
  /** The chain of the frame before, or of the log's header. */
  readonly chain: number
  /** The last sequence that is known to be on the device, 0 for none. */
  readonly synced: number
}

/** A frame header whose CRC is right. Its numbers may still be impossible: `frameFault`. */
export interface FrameHeader {
  readonly payloadBytes: number
  readonly rows: number
  readonly kind: number
  readonly flags: number
  readonly firstSequence: number
  readonly synced: number
  readonly chain: number
}

/** Bytes of the frame, with header and padding: where the next one begins. */
export function frameBytes({ payloadBytes }: Pick<FrameHeader, 'payloadBytes'>): number {
  return FRAME_HEADER_BYTES + Math.ceil(payloadBytes / 8) * 8
}

/** Bytes of the payload of a change, to split it by. @throws InvalidIdError */
export function payloadBytesOf({ ids, vectors, fields, sequences }: Change): number {
  return 8 * (sequences?.length ?? 0) + 4 * vectors.length + fieldBytesOf(fields) + encodedIdsBytes(ids)
}

/** Bytes of the field rows of a change, with their offsets. */
function fieldBytesOf(fields: FieldRows | undefined): number {
  return fields === undefined ? 0 : fields.offsets.byteLength + fields.offsets[fields.count]
}

/**
 * The frame, in one allocation, and its chain, which the next frame continues.
 * @throws InvalidIdError; RangeError for a change without rows, of a wrong shape, or with a payload above
 * `MAX_PAYLOAD_BYTES`: split it
 */
export function encodeFrame(change: Change, place: FramePlace): { readonly bytes: Uint8Array; readonly chain: number } {
  const { kind, ids, firstSequence } = change
  const payloadBytes = payloadBytesOf(change)
  assertShape(change, place, payloadBytes)
  const bytes = Buffer.allocUnsafe(frameBytes({ payloadBytes }))
  bytes.writeUInt32LE(payloadBytes, 0)
  bytes.writeUInt32LE(ids.length, 4)
  bytes.writeUInt32LE(KIND_NUMBERS[kind], 8)
  bytes.writeUInt32LE(flagsOf(change), 12)
  bytes.writeDoubleLE(firstSequence, 16)
  bytes.writeDoubleLE(place.synced, 24)
  let at = FRAME_HEADER_BYTES
  for (const column of columnsOf(change)) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at)
    at += column.byteLength
  }
  writeIds(bytes, at, ids)
  bytes.fill(0, FRAME_HEADER_BYTES + payloadBytes)
  const chain = chainOf(bytes, place.chain)
  bytes.writeUInt32LE(chain, CHAINED_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET), place.fileCrc), CRC_OFFSET)
  return { bytes, chain }
}

function flagsOf({ sequences, fields }: Change): number {
  return (sequences === undefined ? 0 : SEQUENCES_FLAG) | (fields === undefined ? 0 : FIELDS_FLAG)
}

/** What comes before the ids, in order. */
function columnsOf({ sequences, vectors, fields }: Change): (Float64Array | Float32Array | Uint32Array | Uint8Array)[] {
  const columns = sequences === undefined ? [vectors] : [sequences, vectors]
  if (fields === undefined) return columns
  return [...columns, fields.offsets, fields.bytes.subarray(0, fields.offsets[fields.count])]
}

/** The mark that all up to `place.synced` is on the device, and that sequences up to `given` are not given again. */
export function encodeMark(
  { fileCrc, chain: before, synced }: Omit<FramePlace, 'dimensions'>,
  given: number,
): {
  readonly bytes: Uint8Array
  readonly chain: number
} {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES)
  bytes.writeUInt32LE(MARK, 8)
  bytes.writeDoubleLE(given, 16)
  bytes.writeDoubleLE(synced, 24)
  const chain = chainOf(bytes, before)
  bytes.writeUInt32LE(chain, CHAINED_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET), fileCrc), CRC_OFFSET)
  return { bytes, chain }
}

export function isMark({ kind }: Pick<FrameHeader, 'kind'>): boolean {
  return kind === MARK
}

function assertShape(change: Change, { dimensions, synced }: FramePlace, payloadBytes: number): void {
  const { kind, ids, vectors, firstSequence } = change
  if (ids.length === 0) throw new RangeError('a change without rows has no frame')
  const expected = kind === 'upsert' ? ids.length * dimensions : 0
  if (vectors.length !== expected) {
    throw new RangeError(`${vectors.length} numbers for the ${kind} of ${ids.length} ids, expected ${expected}`)
  }
  const { fields } = change
  if (fields !== undefined && (kind !== 'upsert' || fields.count !== ids.length)) {
    throw new RangeError(`${fields.count} field rows for the ${kind} of ${ids.length} ids`)
  }
  const fault = sequenceFault(change, ids.length)
  if (fault !== undefined) throw new RangeError(fault)
  if (!Number.isSafeInteger(synced) || synced < 0 || synced >= firstSequence) {
    throw new RangeError(`sequence ${synced} cannot be on the device before ${firstSequence} is written`)
  }
  if (payloadBytes > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`a frame of ${payloadBytes} bytes, the limit is ${MAX_PAYLOAD_BYTES}: split the change`)
  }
}

/** The chain of a whole frame that continues `chain`. */
export function chainOf(frame: Uint8Array, chain: number): number {
  return crc32(frame.subarray(FRAME_HEADER_BYTES), crc32(frame.subarray(0, CHAINED_BYTES), chain))
}

/** Whether the bytes look like a frame header, before the price of a CRC is paid. */
export function mayBeFrameHeader(bytes: Buffer, at: number): boolean {
  const kind = bytes.readUInt32LE(at + 8)
  const rows = bytes.readUInt32LE(at + 4)
  return kind === MARK ? rows === 0 : (kind === KIND_NUMBERS.upsert || kind === KIND_NUMBERS.delete) && rows > 0
}

/** The frame header at `at`, of which all bytes are there; undefined when its CRC is wrong. */
export function decodeFrameHeader(bytes: Buffer, at: number, fileCrc: number): FrameHeader | undefined {
  if (crc32(bytes.subarray(at, at + CRC_OFFSET), fileCrc) !== bytes.readUInt32LE(at + CRC_OFFSET)) return undefined
  return {
    payloadBytes: bytes.readUInt32LE(at),
    rows: bytes.readUInt32LE(at + 4),
    kind: bytes.readUInt32LE(at + 8),
    flags: bytes.readUInt32LE(at + 12),
    firstSequence: bytes.readDoubleLE(at + 16),
    synced: bytes.readDoubleLE(at + 24),
    chain: bytes.readUInt32LE(at + CHAINED_BYTES),
  }
}

/** What is impossible in a sound header, as a sentence: no writer of this version made it. Undefined for nothing. */
export function frameFault(header: FrameHeader, dimensions: number): string | undefined {
  const { payloadBytes, rows, kind, flags } = header
  if (isMark(header)) {
    if (payloadBytes + rows + flags !== 0) return 'a mark with rows'
    const { firstSequence: given } = header
    return Number.isSafeInteger(given) && given >= 0 ? undefined : `a mark of sequence ${given}`
  }
  if (kind !== KIND_NUMBERS.upsert && kind !== KIND_NUMBERS.delete) return `unknown frame kind ${kind}`
  const known = SEQUENCES_FLAG | (kind === KIND_NUMBERS.upsert ? FIELDS_FLAG : 0)
  if ((flags | known) !== known) return `unknown frame flags ${flags}`
  if (payloadBytes > MAX_PAYLOAD_BYTES) return `a payload of ${payloadBytes} bytes, larger than any that is written`
  // An id has a tag at least, and there is one offset more than ids.
  if (rows === 0 || columnBytes(header, dimensions) + offsetsBytes(header) + 5 * rows + 4 > payloadBytes) {
    return `a payload of ${payloadBytes} bytes cannot hold ${rows} rows`
  }
  return undefined
}

/** Of the sequences and the vectors. */
const columnBytes = ({ rows, kind, flags }: FrameHeader, dimensions: number): number =>
  rows * ((flags & SEQUENCES_FLAG) * 8 + (kind === KIND_NUMBERS.upsert ? 4 * dimensions : 0))

/** Of the offsets of field rows. */
const offsetsBytes = ({ rows, flags }: FrameHeader): number => ((flags & FIELDS_FLAG) === 0 ? 0 : 4 * (rows + 1))

/**
 * The change in a whole frame whose header and chain are right; `offset` is where it lies in `path`. Its vectors, fields
 * and sequences are views of `frame`, which begins at a multiple of 8 of its memory.
 * @throws CorruptIndexError
 */
export function decodeFrame(
  frame: Buffer,
  header: FrameHeader,
  of: { readonly dimensions: number; readonly path: string; readonly offset: number },
): Change {
  const { payloadBytes, rows, kind, flags, firstSequence } = header
  const vectorsAt = FRAME_HEADER_BYTES + (flags & SEQUENCES_FLAG) * 8 * rows
  const fieldsAt = FRAME_HEADER_BYTES + columnBytes(header, of.dimensions)
  const fields = (flags & FIELDS_FLAG) === 0 ? undefined : fieldRowsAt(frame, fieldsAt, header, of)
  const idsAt = fieldsAt + fieldBytesOf(fields)
  const view = idsView(frame.subarray(idsAt, FRAME_HEADER_BYTES + payloadBytes), rows, of.path)
  const change: Change = {
    kind: kind === KIND_NUMBERS.upsert ? 'upsert' : 'delete',
    ids: Array.from({ length: rows }, (_, i) => decodeId(view, i)),
    vectors: new Float32Array(frame.buffer, frame.byteOffset + vectorsAt, (fieldsAt - vectorsAt) / 4),
    firstSequence,
    ...(fields !== undefined && { fields }),
    ...((flags & SEQUENCES_FLAG) !== 0 && {
      sequences: new Float64Array(frame.buffer, frame.byteOffset + FRAME_HEADER_BYTES, rows),
    }),
  }
  const fault = sequenceFault(change, rows)
  if (fault !== undefined) throw new CorruptIndexError(of.path, fault, { offset: of.offset })
  return change
}

/** Views. `frameFault` said that there is room for the offsets. @throws CorruptIndexError */
function fieldRowsAt(
  frame: Buffer,
  at: number,
  { payloadBytes, rows }: FrameHeader,
  { path, offset }: { readonly path: string; readonly offset: number },
): FieldRows {
  const offsets = new Uint32Array(frame.buffer, frame.byteOffset + at, rows + 1)
  const bytesAt = at + offsets.byteLength
  const room = FRAME_HEADER_BYTES + payloadBytes - bytesAt
  for (let i = 0; i <= rows; i++) {
    if (i === 0 ? offsets[0] === 0 : offsets[i] >= offsets[i - 1] && offsets[i] <= room) continue
    throw new CorruptIndexError(path, `field row ${i} begins at byte ${offsets[i]} of ${room}`, { offset })
  }
  return new FieldRows(frame.subarray(bytesAt, bytesAt + offsets[rows]), offsets)
}
