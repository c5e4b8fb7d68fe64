/** The operands of filters: checked, and in the form that rows have. */
import { InvalidOptionError } from '../../errors.js'
import { kindOf } from '../../wording/value-kind.js'
import type { Field } from '../field.js'
import { isPlainObject } from '../schema.js'
import { dateOf, isDegrees, numberOf } from '../values/scalars.js'
import { compareText, isWellFormed } from '../values/text-order.js'

export type Operand = string | number | boolean

/** @throws InvalidOptionError */
export function operandOf({ name, type }: Field, operator: string, value: unknown): Operand {
  if (value === null || value === undefined) {
    throw wrong(
      name,
      operator,
      `${kindOf(value)} is no value; { "${name}": { "$exists": false } } finds records without one`,
    )
  }
  switch (type) {
    case 'number':
    case 'number[]':
      return checked(numberOf(value), name, operator, 'a finite number', value)
    case 'date':
      return checked(dateOf(value), name, operator, 'a Date, text of ISO 8601 or milliseconds since 1970', value)
    case 'boolean':
      if (typeof value !== 'boolean') throw expected(name, operator, 'true or false', value)
      return value
    default:
      if (typeof value !== 'string') throw expected(name, operator, 'a string', value)
      if (!isWellFormed(value)) throw wrong(name, operator, 'the string has half of a surrogate pair')
      return value
  }
}

/** The distinct values of `$in` and `$nin`, ascending. @throws InvalidOptionError */
export function listOf(field: Field, operator: string, given: unknown): Operand[] {
  if (!isIterable(given)) throw expected(field.name, operator, 'an array of values', given)
  const values = new Set<Operand>()
  for (const value of given) values.add(operandOf(field, operator, value))
  return [...values].sort(compareOperands)
}

/** Both of one type. Text by code points, false before true. */
export function compareOperands(a: Operand, b: Operand): number {
  return typeof a === 'string' ? compareText(a, b as string) : Number(a) - Number(b)
}

/** @throws InvalidOptionError */
export function placeOf({ name }: Field, value: unknown): { lat: number; lon: number; km: number } {
  if (!isPlainObject(value)) throw expected(name, '$near', '{ lat, lon, km }', value)
  const { lat, lon, km, ...others } = value
  if (!isDegrees(lat, 90)) throw expected(name, '$near', 'given a lat of −90 to 90', lat)
  if (!isDegrees(lon, 180)) throw expected(name, '$near', 'given a lon of −180 to 180', lon)
  if (typeof km !== 'number' || !Number.isFinite(km) || km < 0) {
    throw expected(name, '$near', 'given km, a number from 0', km)
  }
  const [other] = Object.keys(others)
  if (other !== undefined) throw wrong(name, '$near', `takes lat, lon and km, not ${JSON.stringify(other)}`)
  return { lat: lat + 0, lon: lon + 0, km: km + 0 }
}

/** @throws InvalidOptionError */
export function existsOf({ name }: Field, value: unknown): boolean {
  if (typeof value !== 'boolean') throw expected(name, '$exists', 'true or false', value)
  return value
}

/** "filter: "price" $gt: …" */
export function wrong(name: string, operator: string | undefined, reason: string): InvalidOptionError {
  return new InvalidOptionError(
    `filter: ${JSON.stringify(name)}${operator === undefined ? '' : ` ${operator}`}: ${reason}`,
  )
}

function expected(name: string, operator: string, what: string, value: unknown): InvalidOptionError {
  return wrong(name, operator, `must be ${what}, got ${kindOf(value)}`)
}

function checked(number: number, name: string, operator: string, what: string, value: unknown): number {
  if (Number.isNaN(number)) throw expected(name, operator, what, value)
  return number
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
