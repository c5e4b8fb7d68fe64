/** The fields of an index: what a program gives as its schema, and what a file lists. */
import { FIELD_TYPES, type FieldSchema, type FieldType } from '../api/fields.js'
import { InvalidOptionError } from '../errors.js'
import { nearestName } from '../wording/near-name.js'
import { kindOf } from '../wording/value-kind.js'
import type { Field } from './field.js'
import { isWellFormed } from './values/text-order.js'

export const MAX_FIELDS = 256
export const MAX_FIELD_NAME_LENGTH = 200

/**
 * The fields of a schema as a program gives it, in its order.
 * @throws InvalidOptionError that names the field and what is allowed
 */
export function assertFields(schema: unknown): readonly Field[] {
  if (!isPlainObject(schema)) {
    throw new InvalidOptionError(`fields must be an object of names and types, got ${kindOf(schema)}`)
  }
  const fields = Object.entries(schema).map(([name, type]) => ({ name, type }))
  const problem = fieldListProblem(fields)
  if (problem !== undefined) throw new InvalidOptionError(`fields: ${problem}`)
  // The types as this module spells them: those of a configuration file are strings of their own.
  return fields.map(({ name, type }) => ({ name, type: FIELD_TYPES[FIELD_TYPES.indexOf(type as FieldType)] }))
}

/** What is wrong with a list of fields, as from a file; undefined for `readonly Field[]`. */
export function fieldListProblem(list: unknown): string | undefined {
  if (!Array.isArray(list)) return `a list of fields is expected, got ${kindOf(list)}`
  if (list.length === 0) return 'at least one field is needed'
  if (list.length > MAX_FIELDS) return `${list.length} fields, at most ${MAX_FIELDS} are possible`
  const names = new Set<string>()
  for (const field of list as unknown[]) {
    if (!isPlainObject(field)) return `a field with a name and a type is expected, got ${kindOf(field)}`
    const { name, type } = field
    const problem = nameProblem(name) ?? typeProblem(name, type)
    if (problem !== undefined) return problem
    if (names.has(name as string)) return `${JSON.stringify(name)} is there twice`
    names.add(name as string)
  }
  return undefined
}

/** The schema that these fields were given as. */
export function schemaOf(fields: readonly Field[]): FieldSchema {
  return Object.fromEntries(fields.map(({ name, type }) => [name, type]))
}

/** An object of names and values: no array, no Map, no Date, no class of the language. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]'
}

const MOST_LISTED = 12

/** "unknown field "pric"; did you mean "price"?", or the names that there are. */
export function unknownField(name: string, fields: readonly Field[]): string {
  const names = fields.map((field) => field.name)
  const meant = nearestName(name, names)
  const listed = names.slice(0, MOST_LISTED).join(', ') + (names.length > MOST_LISTED ? ', …' : '')
  const known = names.length === 0 ? 'the index has no fields' : `the fields are ${listed}`
  return `unknown field ${JSON.stringify(name)}; ${meant === undefined ? known : `did you mean "${meant}"?`}`
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return `a name must be a string, got ${kindOf(name)}`
  if (name.length === 0 || name.length > MAX_FIELD_NAME_LENGTH) {
    return `a name has 1 to ${MAX_FIELD_NAME_LENGTH} characters, got ${kindOf(name)}`
  }
  if (name.startsWith('$')) return `${JSON.stringify(name)} begins with $, as the operators of filters do`
  // An object cannot have it as a plain property.
  if (name === '__proto__') return 'a field cannot be named "__proto__"'
  return isWellFormed(name) ? undefined : `${JSON.stringify(name)} has half of a surrogate pair`
}

function typeProblem(name: unknown, type: unknown): string | undefined {
  if (FIELD_TYPES.includes(type as FieldType)) return undefined
  const meant = typeof type === 'string' ? nearestName(type, FIELD_TYPES) : undefined
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  return `${JSON.stringify(name)} has the type ${kindOf(type)}, expected one of ${FIELD_TYPES.join(', ')}${hint}`
}
