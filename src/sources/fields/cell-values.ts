/** From cells as a table stores them to values of a field. Pure. */
import type { FieldColumn, FieldType } from '../../api/fields.js'
import { viewKind } from '../../runtime/realms.js'
import { uuidText } from '../tables/uuid-text.js'
import type { Cell, DateUnit } from './choose-type.js'
import { jsonCell } from './json-cell.js'

type SmallIntegers = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array
type LargeIntegers = BigInt64Array | BigUint64Array

/** Cells that are not null: numbers, bits as 0 and 1, or bytes of text, UUIDs and wide decimals. */
export type RawCells = SmallIntegers | LargeIntegers | Float32Array | Float64Array | readonly Uint8Array[]

/** Cells of a column as values of its field, one for each; null is missing. Throws an Error that says what a cell has. */
export type Convert = (cells: RawCells) => FieldColumn

/** The type of the items of a column of lists. */
export function itemType(type: FieldType): FieldType {
  return type === 'keyword[]' ? 'keyword' : type === 'number[]' ? 'number' : type
}

/** `isBigEndian`: the order of bytes in wide decimals. */
export function converter(cell: Cell, type: FieldType, isBigEndian: boolean): Convert {
  const isText = type === 'keyword' || type === 'text'
  const { scale = 0, unit = 'ms' } = cell
  switch (cell.kind) {
    case 'text':
      return type === 'keyword[]' ? (cells) => texts(cells).map((text) => [text]) : texts
    case 'json':
      return type === 'keyword' || type === 'text' ? texts : (cells) => texts(cells).map(jsonCell)
    case 'uuid':
      return (cells) => Array.from(cells as readonly Uint8Array[], uuidText)
    case 'boolean':
      return (cells) => Array.from(cells as Uint8Array, (bit) => (isText ? String(bit === 1) : bit === 1))
    case 'float':
      return isText
        ? (cells) => Array.from(cells as Float64Array, (value) => (Number.isNaN(value) ? null : String(value)))
        : (cells) => withoutNaN(cells as Float64Array)
    case 'integer':
      return isText
        ? (cells) => Array.from(cells as Int32Array, String)
        : (cells) => exactNumbers(cells as SmallIntegers | LargeIntegers)
    case 'decimal':
      return (cells) => {
        const written = Array.from(digitsOf(cells, isBigEndian), (digits) => decimalText(digits, scale))
        return isText ? written : Float64Array.from(written, Number)
      }
    case 'date':
      return (cells) => {
        const times = timesOf(cells as SmallIntegers | LargeIntegers, unit)
        return type === 'date' ? times : Array.from(times, (time) => new Date(time).toISOString())
      }
  }
}

function isLarge(cells: SmallIntegers | LargeIntegers): cells is LargeIntegers {
  return viewKind(cells)?.startsWith('Big') === true
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const LOOKED_AT = 64

function texts(cells: RawCells): string[] {
  const bytes = cells as readonly Uint8Array[]
  const values = new Array<string>(bytes.length)
  // Values from a dictionary are the same bytes again and again, which need not be decoded each time.
  const first = bytes.slice(0, LOOKED_AT)
  const known = new Set(first).size < first.length ? new Map<Uint8Array, string>() : undefined
  for (let i = 0; i < bytes.length; i++) {
    const seen = known?.get(bytes[i])
    values[i] = seen ?? textOf(bytes[i])
    if (seen === undefined) known?.set(bytes[i], values[i])
  }
  return values
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new Error('text that is not UTF-8', { cause })
  }
}

/** Data frames have NaN where there is no number. Typed when all are numbers. */
function withoutNaN(cells: Float32Array | Float64Array): FieldColumn {
  for (let i = 0; i < cells.length; i++) {
    if (Number.isNaN(cells[i])) return Array.from(cells, (value) => (Number.isNaN(value) ? null : value))
  }
  return viewKind(cells) === 'Float64Array' ? cells : Float64Array.from(cells)
}

/** @throws Error for an integer that a number does not hold exactly */
function exactNumbers(cells: SmallIntegers | LargeIntegers): Float64Array {
  if (!isLarge(cells)) return Float64Array.from(cells)
  const values = new Float64Array(cells.length)
  // Its halves, because a BigInt is an object for each cell.
  const halves = new Uint32Array(cells.buffer, cells.byteOffset, 2 * cells.length)
  const isSigned = viewKind(cells) === 'BigInt64Array'
  for (let i = 0; i < values.length; i++) {
    const high = isSigned ? halves[2 * i + 1] | 0 : halves[2 * i + 1]
    values[i] = high * 2 ** 32 + halves[2 * i]
    if (!Number.isSafeInteger(values[i])) {
      throw new Error(
        `the integer ${cells[i]}, beyond 2^53 − 1, where numbers are not exact; give the field the type keyword`,
      )
    }
  }
  return values
}

function digitsOf(cells: RawCells, isBigEndian: boolean): bigint[] {
  if (ArrayBuffer.isView(cells)) return Array.from(cells as ArrayLike<number | bigint>, BigInt)
  return Array.from(cells as readonly Uint8Array[], (bytes) => {
    if (bytes.length === 0) return 0n
    const ordered = isBigEndian ? bytes : bytes.slice().reverse()
    const hex = Buffer.from(ordered.buffer, ordered.byteOffset, ordered.byteLength).toString('hex')
    return BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex}`))
  })
}

/** −12345 with scale 2 is −123.45. */
function decimalText(digits: bigint, scale: number): string {
  if (scale <= 0) return String(digits * 10n ** BigInt(-scale))
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  return `${digits < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`
}

const PER_MILLISECOND = { ms: 1, us: 1_000, ns: 1_000_000 } as const
const MILLISECONDS = { days: 86_400_000, s: 1_000 } as const

/** Milliseconds since 1970; what is shorter is cut off, towards the past. */
function timesOf(cells: SmallIntegers | LargeIntegers, unit: DateUnit): Float64Array {
  const times = new Float64Array(cells.length)
  if (unit === 'days' || unit === 's') {
    for (let i = 0; i < times.length; i++) times[i] = Number(cells[i]) * MILLISECONDS[unit]
  } else if (isLarge(cells) && unit === 'ns') {
    // Nanoseconds since 1970 are beyond 2^53.
    for (let i = 0; i < times.length; i++) times[i] = Number(floorDivided(cells[i], 1_000_000n))
  } else {
    for (let i = 0; i < times.length; i++) times[i] = Math.floor(Number(cells[i]) / PER_MILLISECOND[unit])
  }
  return times
}

function floorDivided(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient
}
