/** Which columns of a file become fields, as the caller names them. Pure. */
import { FIELD_TYPES, type FieldSchema, type FieldType } from '../../api/fields.js'
import { InvalidOptionError } from '../../errors.js'
import { nearestName } from '../../wording/near-name.js'
import { kindOf } from '../../wording/value-kind.js'

/** A column that becomes the field of its name. Without a type the file tells it. */
export interface WantedField {
  readonly name: string
  readonly type: FieldType | undefined
}

/** A schema; or names, each with a type after a colon or without: `['category', 'price:number']`. */
export type FieldsToRead = FieldSchema | readonly string[]

const FIX = "such as { price: 'number' } or ['category', 'price:number']"

/** @throws InvalidOptionError for what is no schema and no list, an unknown type, and a name given twice */
export function wantedFields(fields: unknown): readonly WantedField[] {
  if (fields === undefined) return []
  if (typeof fields !== 'object' || fields === null) {
    throw new InvalidOptionError(`fields must be a schema or a list of names, ${FIX}, got ${kindOf(fields)}`)
  }
  const wanted = Array.isArray(fields)
    ? fields.map(fieldOfText)
    : Object.entries(fields as Readonly<Record<string, unknown>>).map(([name, type]) => ({
        name,
        type: typeNamed(name, type),
      }))
  const names = new Set<string>()
  for (const { name } of wanted) {
    if (name === '') throw new InvalidOptionError(`fields has an empty name; name columns of the file, ${FIX}`)
    if (names.has(name)) throw new InvalidOptionError(`fields has ${JSON.stringify(name)} twice; name it once`)
    names.add(name)
  }
  return wanted
}

/** `name` or `name:type`; what follows the last colon is a type. */
function fieldOfText(text: unknown): WantedField {
  if (typeof text !== 'string') {
    throw new InvalidOptionError(`fields must be a list of names, ${FIX}; it has ${kindOf(text)}`)
  }
  const colon = text.lastIndexOf(':')
  if (colon < 0) return { name: text.trim(), type: undefined }
  const name = text.slice(0, colon).trim()
  return { name, type: typeNamed(name, text.slice(colon + 1).trim()) }
}

function typeNamed(name: string, type: unknown): FieldType {
  if ((FIELD_TYPES as readonly unknown[]).includes(type)) return type as FieldType
  const meant = typeof type === 'string' ? nearestName(type, FIELD_TYPES) : undefined
  const got = typeof type === 'string' ? JSON.stringify(type) : kindOf(type)
  throw new InvalidOptionError(
    `the type of field ${JSON.stringify(name)} must be one of ${FIELD_TYPES.join(', ')}, got ${got}` +
      `${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  )
}

/** A schema of fields that have no file to tell their types. @throws InvalidOptionError for a name alone; `why` says why */
export function typedSchema(fields: unknown, why: string): FieldSchema {
  return schemaOf(
    wantedFields(fields).map(({ name, type }) => {
      if (type !== undefined) return { name, type }
      throw new InvalidOptionError(
        `the type of field ${JSON.stringify(name)} must be given, because ${why}: ${name}:keyword, or another of ` +
          FIELD_TYPES.join(', '),
      )
    }),
  )
}

export function schemaOf(fields: readonly { readonly name: string; readonly type: FieldType }[]): FieldSchema {
  return Object.fromEntries(fields.map(({ name, type }) => [name, type]))
}
