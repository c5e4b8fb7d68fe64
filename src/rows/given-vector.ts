/** What programs give as a vector: numbers, or what databases give in their place. */
import { vectorOfText } from '../sources/lines/vector-text.js'
import { isFloat32Array } from '../runtime/realms.js'
import { className, kindOf } from '../wording/value-kind.js'

/** Typed arrays whose items are the components. */
const VALUES: ReadonlySet<string> = new Set(['Float32Array', 'Float64Array', 'Float16Array', 'Int8Array', 'Int16Array',
  'Int32Array', 'Uint8ClampedArray', 'Uint32Array']) // prettier-ignore

const TAG = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)

/** Works for typed arrays of any realm and of subclasses; undefined for other values. */
const tagOf = (value: unknown): string | undefined => TAG?.get?.call(value) as string | undefined

/**
 * The components of a vector. Taken: arrays of numbers, typed arrays of numbers, the text of pgvector ('[1,2]') and of
 * Postgres arrays ('{1,2}'), and bytes whose number says what they are: those of as many float32 as `dimensions`, or
 * one for each dimension. `dimensions`: undefined when not known yet. What is ambiguous is refused: the result is then
 * the reason, which has the line of code that makes it clear.
 */
export function givenVector(value: unknown, dimensions: number | undefined): ArrayLike<number> | string {
  if (isFloat32Array(value)) return value
  if (Array.isArray(value)) return itemProblem(value) ?? (value as readonly number[])
  if (typeof value === 'string') {
    const vector = vectorOfText(value)
    return typeof vector === 'string' ? `is ${kindOf(value)}, expected numbers, or text such as '[1, 2, 3]'` : vector
  }
  const tag = tagOf(value)
  if (tag === undefined) return isBytes(value) ? bytesVector(value, dimensions) : otherProblem(value)
  if (VALUES.has(tag)) return value as ArrayLike<number>
  if (tag === 'Uint8Array') return octetVector(value as Uint8Array, dimensions)
  if (tag === 'Uint16Array') {
    return (
      'is a Uint16Array, which may be numbers or the bits of float16: pass Float32Array.from(vector) for numbers, or ' +
      'new Float16Array(vector.buffer, vector.byteOffset, vector.length) for float16'
    )
  }
  return `is a ${tag}: pass Float32Array.from(vector, Number)`
}

/** Any value may be in a plain array, and values that are not numbers would silently become 0 or NaN as float32. */
function itemProblem(values: readonly unknown[]): string | undefined {
  const at = values.findIndex((component) => typeof component !== 'number')
  if (at < 0) return undefined
  const item = values[at]
  const isNumeric = typeof item === 'bigint' || (typeof item === 'string' && item !== '' && !Number.isNaN(Number(item)))
  return `has ${kindOf(item)} at position ${at}, expected numbers${isNumeric ? ': pass vector.map(Number)' : ''}`
}

function isBytes(value: unknown): value is ArrayBufferLike | DataView {
  const tag = Object.prototype.toString.call(value)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]' || tag === '[object DataView]'
}

function octets(value: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)
}

/** A copy: the bytes of a Buffer need not be aligned. */
function asFloats(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer)
}

/** Drivers of SQLite give a BLOB of float32 as a Uint8Array, or as a Buffer; others have bytes as components. */
function octetVector(value: Uint8Array, dimensions: number | undefined): ArrayLike<number> | string {
  const isBuffer = className(value) === 'Buffer'
  if (dimensions === undefined) {
    return isBuffer || looksLikeFloats(value) ? ambiguousBytes(value, className(value)) : value
  }
  if (value.length === dimensions) return value
  return value.length === 4 * dimensions || isBuffer ? bytesVector(value, dimensions) : value
}

function bytesVector(
  value: ArrayBufferLike | ArrayBufferView,
  dimensions: number | undefined,
): ArrayLike<number> | string {
  const bytes = octets(value)
  const name = className(value)
  if (dimensions === undefined) return ambiguousBytes(bytes, name)
  if (bytes.length === 4 * dimensions) return asFloats(bytes)
  const wider = bytes.length === 8 * dimensions ? ': pass new Float64Array(new Uint8Array(vector).buffer)' : ''
  return `is ${kindOf(value)} of ${bytes.length} bytes, expected the ${4 * dimensions} of ${dimensions} float32${wider}`
}

function ambiguousBytes({ length }: Uint8Array, name: string): string {
  const floats = length % 4 === 0 ? `${length / 4} numbers of float32, or ` : ''
  return (
    `is a ${name} of ${length} bytes, which may be ${floats}${length} of one byte: state dimensions, or pass ` +
    `new Float32Array(new Uint8Array(vector).buffer) for float32, Float32Array.from(new Uint8Array(vector)) for bytes`
  )
}

/** Fewer floats may look like floats by chance. */
const LEAST_FLOATS = 8
const [LEAST, MOST] = [1e-10, 1e4]

/** Whether all numbers would be of a size that embeddings have: one in 10^5 vectors of 32 random bytes does. */
function looksLikeFloats(bytes: Uint8Array): boolean {
  if (bytes.length % 4 !== 0 || bytes.length < 4 * LEAST_FLOATS) return false
  const floats = asFloats(bytes)
  let zeros = 0
  for (const value of floats) {
    if (value === 0) zeros++
    else if (!(Math.abs(value) >= LEAST && Math.abs(value) <= MOST)) return false
  }
  return zeros <= floats.length / 2
}

/** Objects of libraries that hold numbers: the line of code that takes them out. */
function otherProblem(value: unknown): string {
  const kind = kindOf(value)
  if (kind === 'a Promise') return 'is a Promise: await it'
  const { toArray, items, 0: first } = Object(value) as Record<string, unknown>
  if (typeof toArray === 'function') return `is ${kind}: pass vector.toArray()`
  if (Array.isArray(items)) return `is ${kind}: pass vector.items`
  if (typeof first === 'number') return `is ${kind} with numbered fields: pass Object.values(vector)`
  return `is ${kind}, expected an array of numbers or a typed array`
}
