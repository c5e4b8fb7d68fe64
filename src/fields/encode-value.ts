/** One value of one field into bytes. Each writer answers with what is wrong with the value, or undefined. */
import type { FieldType } from '../api/fields.js'
import { viewKind } from '../runtime/realms.js'
import { kindOf } from '../wording/value-kind.js'
import type { ByteWriter } from './byte-writer.js'
import { dateOf, isDegrees, numberOf } from './values/scalars.js'
import { storedProblem } from './values/stored-value.js'
import { isWellFormed } from './values/text-order.js'

export type EncodeValue = (writer: ByteWriter, value: unknown) => string | undefined

/** Bytes that the fields of one record take at most. */
export const MAX_FIELD_ROW_BYTES = 2 ** 20

export const VALUE_ENCODERS: Readonly<Record<FieldType, EncodeValue>> = {
  keyword: encodeText,
  text: encodeText,
  'keyword[]': (writer, value) => encodeItems(writer, value, encodeText, 'an array of strings'),
  number: (writer, value) => encodeNumber(writer, numberOf(value), value, NUMBER),
  'number[]': (writer, value) => encodeItems(writer, value, encodeItemNumber, 'an array of finite numbers'),
  date: (writer, value) => encodeNumber(writer, dateOf(value), value, DATE),
  boolean: encodeBoolean,
  geo: encodeGeo,
  stored: encodeStored,
}

/** Whether nothing is stored for it: nothing, or a list without items. */
export function isMissing(type: FieldType, value: unknown): boolean {
  if (value === undefined || value === null) return true
  return (type === 'keyword[]' || type === 'number[]') && isList(value) && value.length === 0
}

const NUMBER = 'a finite number'
const DATE = 'a Date, text of ISO 8601 or milliseconds since 1970'
const PLACE = '{ lat, lon } in degrees, −90 to 90 and −180 to 180'

function expected(what: string, value: unknown): string {
  return `must be ${what}, got ${kindOf(value)}`
}

function encodeText(writer: ByteWriter, value: unknown): string | undefined {
  if (typeof value !== 'string') return expected('a string', value)
  if (!isWellFormed(value)) return 'has half of a surrogate pair and cannot be stored as UTF-8'
  if (value.length > MAX_FIELD_ROW_BYTES) return tooLong(value.length)
  writer.text(value)
  return undefined
}

function encodeNumber(writer: ByteWriter, number: number, value: unknown, what: string): string | undefined {
  if (Number.isNaN(number)) return expected(what, value) + exactHint(value)
  writer.f64(number)
  return undefined
}

const encodeItemNumber: EncodeValue = (writer, value) => encodeNumber(writer, numberOf(value), value, NUMBER)

function exactHint(value: unknown): string {
  return typeof value === 'bigint' ? ', of which a number loses digits; make the field a keyword' : ''
}

function encodeBoolean(writer: ByteWriter, value: unknown): string | undefined {
  if (typeof value !== 'boolean') return expected('true or false', value)
  writer.u8(value ? 1 : 0)
  return undefined
}

function encodeGeo(writer: ByteWriter, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return expected(PLACE, value)
  const { lat, lon } = value as { readonly lat?: unknown; readonly lon?: unknown }
  if (!isDegrees(lat, 90)) return `must be ${PLACE}, got ${kindOf(lat)} for lat`
  if (!isDegrees(lon, 180)) return `must be ${PLACE}, got ${kindOf(lon)} for lon`
  writer.f64(lat + 0)
  writer.f64(lon + 0)
  return undefined
}

function encodeStored(writer: ByteWriter, value: unknown): string | undefined {
  const problem = storedProblem(value)
  if (problem !== undefined) return `must be a value of JSON, but ${problem}`
  const json = JSON.stringify(value)
  if (json.length > MAX_FIELD_ROW_BYTES) return tooLong(json.length)
  writer.text(json)
  return undefined
}

function encodeItems(writer: ByteWriter, value: unknown, encode: EncodeValue, what: string): string | undefined {
  if (!isList(value)) {
    const hint = typeof value === 'string' || typeof value === 'number' ? '; put it into [ ]' : ''
    return expected(what, value) + hint
  }
  if (value.length > MAX_FIELD_ROW_BYTES) return tooLong(value.length, 'items')
  writer.u32(value.length)
  for (let i = 0; i < value.length; i++) {
    const problem = encode(writer, value[i])
    if (problem !== undefined) return `item ${i} ${problem}`
  }
  return undefined
}

/** An array, or a typed array. */
function isList(value: unknown): value is ArrayLike<unknown> {
  if (Array.isArray(value)) return true
  const kind = viewKind(value)
  return kind !== undefined && kind !== 'DataView'
}

function tooLong(length: number, of = 'characters'): string {
  return `has ${length} ${of}; the fields of a record take at most ${MAX_FIELD_ROW_BYTES} bytes`
}
