/** Fields of JSON records: the value of each, and the types that values suggest. Pure. */
import type { FieldType } from '../../api/fields.js'
import { fieldDigits } from '../lines/exact-integer.js'

/** A field of the records, by name. */
export interface JsonField {
  readonly name: string
  readonly type: FieldType
}

/** The value under a name, or along a path such as `meta.category`. */
export function jsonValueAt(value: object, name: string): unknown {
  if (Object.hasOwn(value, name)) return (value as Readonly<Record<string, unknown>>)[name]
  let at: unknown = value
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[part]
  }
  return at
}

/** One value for each field, or a reason as text. `text`: the record as it is written, with every digit. */
export function jsonFields(value: object, fields: readonly JsonField[], text: string): unknown[] | string {
  const values: unknown[] = []
  for (const { name, type } of fields) {
    const given = jsonValueAt(value, name)
    const exact = typeof given === 'number' ? exactOf(given, name, text, type) : given
    if (exact === INEXACT) {
      return (
        `has the integer ${fieldDigits(text, name)} as ${JSON.stringify(name)}, beyond 2^53 − 1, where numbers are not ` +
        'exact; give the field the type keyword'
      )
    }
    const isText = type === 'keyword' || type === 'text'
    values.push(isText && (typeof exact === 'number' || typeof exact === 'boolean') ? String(exact) : exact)
  }
  return values
}

const INEXACT = Symbol('inexact')

/** JSON.parse rounds integers beyond 2^53: their digits come from the text. 1e300 was meant as it is. */
function exactOf(value: number, name: string, text: string, type: FieldType): unknown {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value
  const digits = fieldDigits(text, name)
  if (digits === undefined) return value
  return type === 'keyword' || type === 'text' ? digits : INEXACT
}

/** The type that fits all of these values, none of which is missing. */
export function typeOfValues(values: readonly unknown[]): FieldType {
  const all = (fits: (value: unknown) => boolean): boolean => values.every(fits)
  const isText = (value: unknown): boolean => typeof value === 'string'
  const isNumber = (value: unknown): boolean => typeof value === 'number'
  if (all(isText)) return 'keyword'
  if (all(isNumber)) return 'number'
  if (all((value) => typeof value === 'boolean')) return 'boolean'
  if (all((value) => Array.isArray(value) && value.every(isText))) return 'keyword[]'
  if (all((value) => Array.isArray(value) && value.every(isNumber))) return 'number[]'
  return all(isPlace) ? 'geo' : 'stored'
}

function isPlace(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false
  const { lat, lon } = value as { lat?: unknown; lon?: unknown }
  return typeof lat === 'number' && typeof lon === 'number'
}

/** What has no value: absent, null, and an empty list. */
export function isMissing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}
