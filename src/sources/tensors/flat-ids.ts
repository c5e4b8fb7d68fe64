/** Ids from an array of one axis: integers or text of a fixed width, one after the other. */
import { InvalidFileError } from '../../errors.js'
import { integerId } from '../../api/integer-id.js'
import type { Id } from '../../api/vectors.js'
import { readExactly, type ByteReader } from '../bytes/byte-reader.js'

/** S is bytes of UTF-8, U is UTF-32; both end at zeros. */
export interface FlatIds {
  readonly kind: 'i' | 'u' | 'S' | 'U'
  /** Bytes of one id. */
  readonly bytes: number
  readonly dataOffset: number
  readonly count: number
  readonly name: string
}

const READ_BYTES = 1 << 18

const INTEGERS: ReadonlyMap<string, (data: ArrayBuffer) => ArrayLike<number | bigint>> = new Map<
  string,
  (data: ArrayBuffer) => ArrayLike<number | bigint>
>([
  ['i1', (data) => new Int8Array(data)],
  ['u1', (data) => new Uint8Array(data)],
  ['i2', (data) => new Int16Array(data)],
  ['u2', (data) => new Uint16Array(data)],
  ['i4', (data) => new Int32Array(data)],
  ['u4', (data) => new Uint32Array(data)],
  ['i8', (data) => new BigInt64Array(data)],
  ['u8', (data) => new BigUint64Array(data)],
])

export function isIdType(kind: string, bytes: number): kind is FlatIds['kind'] {
  return INTEGERS.has(`${kind}${bytes}`) || (kind === 'S' && bytes > 0) || (kind === 'U' && bytes > 0)
}

/** @throws InvalidFileError at an integer that is not exact, or text that is not Unicode */
export async function* flatIds(bytes: ByteReader, ids: FlatIds, startAt: number): AsyncGenerator<Id[], void, void> {
  const atOnce = Math.max(1, Math.floor(READ_BYTES / ids.bytes))
  for (let row = startAt; row < ids.count; row += atOnce) {
    const data = new Uint8Array(Math.min(atOnce, ids.count - row) * ids.bytes)
    await readExactly(bytes, data, ids.dataOffset + row * ids.bytes)
    yield decoded(bytes.path, ids, data)
  }
}

function decoded(path: string, { kind, bytes, name }: FlatIds, data: Uint8Array<ArrayBuffer>): Id[] {
  const refuse = (what: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(path, `its array ${JSON.stringify(name)} has ${what}`, { cause })
  const integers = INTEGERS.get(`${kind}${bytes}`)
  if (integers !== undefined) {
    return Array.from(integers(data.buffer), (value) => (typeof value === 'bigint' ? integerId(value) : value))
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return Array.from({ length: data.length / bytes }, (_, i) => {
      const value = data.subarray(i * bytes, (i + 1) * bytes)
      return kind === 'S' ? decoder.decode(withoutZeros(value)) : fromUtf32(value)
    })
  } catch (cause) {
    throw refuse('text that is not Unicode', cause)
  }
}

function withoutZeros(value: Uint8Array): Uint8Array {
  let end = value.length
  while (end > 0 && value[end - 1] === 0) end--
  return value.subarray(0, end)
}

function fromUtf32(value: Uint8Array): string {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const points = Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i, true))
  while (points.at(-1) === 0) points.pop()
  return points.map((point) => String.fromCodePoint(point)).join('')
}
