/**
 * The caller's ids of one range of nodes, as bytes: u32 offsets[count + 1] into the blob, then the blob. An id is a
 * tag byte 0 and an i64, or a tag byte 1 and UTF-8. Little-endian.
 */
import { CorruptIndexError, InvalidIdError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import { kindOf } from '../../wording/value-kind.js'

const INTEGER_TAG = 0
const STRING_TAG = 1
const INTEGER_BYTES = 9
const MAX_BLOB_BYTES = 2 ** 32 - 1

/** @throws InvalidIdError unless `id` is a safe integer or a string without a lone surrogate */
export function assertId(id: unknown): asserts id is Id {
  if (typeof id === 'number') {
    if (!Number.isSafeInteger(id)) {
      const fix = Number.isInteger(id)
        ? 'its last digits may be lost already; pass a bigint or a string'
        : 'pass a string'
      throw new InvalidIdError(`id ${id} is not a safe integer: ${fix}`)
    }
  } else if (typeof id === 'string') {
    if (LONE_SURROGATE.test(id)) {
      throw new InvalidIdError(`id ${JSON.stringify(id)} has half of a surrogate pair and cannot be stored as UTF-8`)
    }
  } else {
    throw new InvalidIdError(`an id must be a string or an integer, got ${kindOf(id)}`)
  }
}
const LONE_SURROGATE = /\p{Surrogate}/u

/** Bytes of one id in the blob. */
export function encodedIdBytes(id: Id): number {
  return typeof id === 'number' ? INTEGER_BYTES : 1 + utf8Bytes(id)
}

function utf8Bytes(text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, 'utf8')
  }
  return text.length
}

/** Bytes of `encodeIds(ids)`. @throws InvalidIdError, RangeError when the blob is above 4 GiB (use more segments) */
export function encodedIdsBytes(ids: readonly Id[]): number {
  let blobBytes = 0
  for (const id of ids) {
    assertId(id)
    blobBytes += encodedIdBytes(id)
    if (blobBytes > MAX_BLOB_BYTES) throw new RangeError(`${ids.length} ids need more than 4 GiB in one segment`)
  }
  return 4 * (ids.length + 1) + blobBytes
}

/** The data of an ids segment. @throws InvalidIdError, RangeError when the blob is above 4 GiB (use more segments) */
export function encodeIds(ids: readonly Id[]): Uint8Array {
  const data = Buffer.allocUnsafe(encodedIdsBytes(ids))
  writeIds(data, 0, ids)
  return data
}

/** Writes the `encodedIdsBytes(ids)` bytes of `encodeIds(ids)` at `at`; that function has checked the ids. */
export function writeIds(into: Buffer, at: number, ids: readonly Id[]): void {
  const blobAt = at + 4 * (ids.length + 1)
  let end = 0
  into.writeUInt32LE(0, at)
  for (let i = 0; i < ids.length; i++) {
    end += writeId(into, blobAt + end, ids[i])
    into.writeUInt32LE(end, at + 4 * (i + 1))
  }
}

/** Writes the `encodedIdBytes(id)` bytes of one id, as in the blob, at `at`, and returns how many they are. */
export function writeId(into: Buffer, at: number, id: Id): number {
  if (typeof id === 'number') {
    into[at] = INTEGER_TAG
    // Two words instead of a BigInt: nothing is allocated. `>>>` of a safe integer is its value modulo 2^32.
    into.writeUInt32LE(id >>> 0, at + 1)
    into.writeInt32LE(Math.floor(id / 2 ** 32), at + 5)
    return INTEGER_BYTES
  }
  into[at] = STRING_TAG
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    if (unit > 0x7f) return 1 + into.write(id, at + 1, 'utf8')
    into[at + 1 + i] = unit
  }
  return 1 + id.length
}

/** The data of an ids segment, for `decodeId`. */
export interface IdsView {
  readonly count: number
  readonly data: Buffer
  readonly path: string
}

/** A view of an ids segment's data (no copy). @throws CorruptIndexError when it cannot hold `count` ids */
export function idsView(bytes: Uint8Array, count: number, path: string): IdsView {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blobAt = 4 * (count + 1)
  if (data.length < blobAt) throw new CorruptIndexError(path, `${data.length} bytes cannot hold ${count} ids`)
  const end = data.readUInt32LE(4 * count)
  if (data.readUInt32LE(0) !== 0 || blobAt + end !== data.length) {
    throw new CorruptIndexError(path, `the ids end at blob byte ${end} of ${data.length - blobAt}`)
  }
  return { count, data, path }
}

/** The id at `index` (node − firstNode). @throws CorruptIndexError */
export function decodeId({ data, count, path }: IdsView, index: number): Id {
  const start = data.readUInt32LE(4 * index)
  const end = data.readUInt32LE(4 * index + 4)
  const blobAt = 4 * (count + 1)
  if (start >= end || blobAt + end > data.length) {
    throw new CorruptIndexError(path, `id ${index} lies at blob bytes ${start} to ${end}`)
  }
  const id = readId(data, blobAt + start, blobAt + end)
  if (id === undefined) throw wrongId(data.subarray(blobAt + start, blobAt + end), `id ${index}`, path)
  return id
}

/** One id from its bytes in the blob. `what` names it in errors. @throws CorruptIndexError */
export function decodeIdBytes(bytes: Buffer, what: string, path: string): Id {
  const id = readId(bytes, 0, bytes.length)
  if (id === undefined) throw wrongId(bytes, what, path)
  return id
}

/** The id whose tag is at `start`, without a view of its bytes; undefined when they are not an id. */
function readId(data: Buffer, start: number, end: number): Id | undefined {
  if (data[start] === STRING_TAG) return data.toString('utf8', start + 1, end)
  if (data[start] !== INTEGER_TAG || end - start !== INTEGER_BYTES) return undefined
  const id = integerAt(data, start)
  return Number.isSafeInteger(id) ? id : undefined
}

const integerAt = (data: Buffer, tagAt: number): number =>
  data.readInt32LE(tagAt + 5) * 2 ** 32 + data.readUInt32LE(tagAt + 1)

function wrongId(bytes: Buffer, what: string, path: string): CorruptIndexError {
  const integer = bytes[0] === INTEGER_TAG && bytes.length === INTEGER_BYTES
  const reason = integer
    ? `is ${integerAt(bytes, 0)}, not a safe integer`
    : `has tag ${bytes[0]} and ${bytes.length} bytes`
  return new CorruptIndexError(path, `${what} ${reason}`)
}
