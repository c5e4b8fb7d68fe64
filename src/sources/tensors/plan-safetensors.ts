/** safetensors: u64 bytes of a JSON header, the header with the type, shape and place of each tensor, then the tensors. */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, readExactly, type ByteReader } from '../bytes/byte-reader.js'
import { bytesWithin } from '../bytes/forward-bytes.js'
import { VALUE_TYPES, type ValueTypeName } from '../rows/value-type.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import { isIdType } from './flat-ids.js'
import { planNamedArrays, type NamedArray } from './named-arrays.js'

const LENGTH_BYTES = 8
/** A tensor has about 100 bytes of header. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024
const BRACE = 0x7b

/** By the names of safetensors. */
const VALUES: ReadonlyMap<string, ValueTypeName> = new Map([
  ['F16', 'f2'], ['BF16', 'bf2'], ['F32', 'f4'], ['F64', 'f8'], ['I8', 'i1'], ['U8', 'u1'], ['I16', 'i2'], ['U16', 'u2'],
]) // prettier-ignore

/** A header that fits the size, and begins as JSON. */
export function beginsAsSafetensors(head: Uint8Array, byteLength: number): boolean {
  if (head.length <= LENGTH_BYTES || head[LENGTH_BYTES] !== BRACE) return false
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)
  return length >= 2n && length <= BigInt(Math.min(MAX_HEADER_BYTES, byteLength - LENGTH_BYTES))
}

/** @throws InvalidFileError when it is truncated, damaged, or has no such tensor; PathError for a pipe */
export async function planSafetensors(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  const byteLength = knownByteLength(bytes, 'safetensors')
  const start = new Uint8Array(Math.min(LENGTH_BYTES, byteLength))
  await readExactly(bytes, start, 0)
  const length = start.length < LENGTH_BYTES ? NaN : Number(new DataView(start.buffer).getBigUint64(0, true))
  if (!(length <= Math.min(MAX_HEADER_BYTES, byteLength - LENGTH_BYTES))) {
    const reason = `it is truncated, or no safetensors: its header claims ${length} bytes of ${byteLength}`
    throw new InvalidFileError(bytes.path, reason, { offset: 0 })
  }
  const header = new Uint8Array(length)
  await readExactly(bytes, header, LENGTH_BYTES)
  const dataAt = LENGTH_BYTES + length
  const tensors = tensorsOf(bytes.path, header)
  const arrays = tensors.map(([name, tensor]) => arrayOf(bytes.path, name, tensor, { dataAt, byteLength }))
  return planNamedArrays(bytes.path, arrays, options)
}

function tensorsOf(path: string, header: Uint8Array): [name: string, tensor: unknown][] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header))
  } catch (cause) {
    throw new InvalidFileError(path, 'its safetensors header is not JSON', { offset: LENGTH_BYTES, cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).filter(([name]) => name !== '__metadata__')
  }
  throw new InvalidFileError(path, 'its safetensors header is not an object', { offset: LENGTH_BYTES })
}

function arrayOf(
  path: string,
  name: string,
  tensor: unknown,
  { dataAt, byteLength }: { readonly dataAt: number; readonly byteLength: number },
): NamedArray {
  const { dtype, shape, data_offsets: place } = (tensor ?? {}) as Readonly<Record<string, unknown>>
  const refuse = (what: string): InvalidFileError =>
    new InvalidFileError(path, `its tensor ${JSON.stringify(name.slice(0, 60))} ${what}`, { offset: LENGTH_BYTES })
  if (typeof dtype !== 'string' || !isNumbers(shape) || !isNumbers(place) || place.length !== 2) {
    throw refuse('has no dtype, shape and data_offsets')
  }
  const [from, to] = place
  const dataOffset = dataAt + from
  if (to < from) throw refuse(`is at bytes ${from} to ${to}`)
  if (dataAt + to > byteLength) throw refuse(`is truncated: it ends at byte ${dataAt + to} of ${byteLength}`)
  const values = VALUES.get(dtype)
  const [, kind, bits] = /^([IU])(8|16|32|64)$/.exec(dtype) ?? []
  const idBytes = Number(bits) / 8
  const type = shape.length === 2 && values !== undefined ? VALUE_TYPES[values] : undefined
  const isIds = shape.length === 1 && isIdType(kind?.toLowerCase(), idBytes)
  const [count, dimensions] = shape
  const needed = type === undefined ? count * idBytes : count * dimensions * type.bytes
  if ((type !== undefined || isIds) && needed !== to - from) throw refuse(`has ${to - from} bytes, expected ${needed}`)
  return {
    name,
    type: `${dtype.slice(0, 20)} (${shape.join(', ').slice(0, 60)})`,
    use: type !== undefined ? (type.bytes === 1 ? 'byte vector' : 'vector') : isIds ? 'id' : 'none',
    rows: type && { count, dimensions, dataOffset, type },
    ids: isIds ? { kind: kind === 'I' ? 'i' : 'u', bytes: idBytes, dataOffset, count, name } : undefined,
    open: (pass) => Promise.resolve(bytesWithin(pass, 0, byteLength)),
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => Number.isSafeInteger(number) && number >= 0)
}
