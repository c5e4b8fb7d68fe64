/** Names of fields, as searches are given them. */
import { InvalidOptionError } from '../errors.js'
import type { Field } from '../fields/field.js'
import { unknownField } from '../fields/schema.js'
import { kindOf } from '../wording/value-kind.js'
import { assertHasFields } from './filter/field-filter.js'

/** Positions of the fields that hits bring along. @throws InvalidOptionError */
export function selectedFields(fields: readonly Field[] | undefined, select: unknown): ReadonlySet<number> {
  const known = assertHasFields(fields, '`select`')
  return new Set(namesIn('select', select).map((name) => fieldNamed(known, name, 'select')))
}

/** Positions of the fields that words are looked for in: ascending; all of type text when none are named. @throws InvalidOptionError */
export function textFields(fields: readonly Field[] | undefined, given: unknown): readonly number[] {
  const known = assertHasFields(fields, 'a search for words')
  if (given === undefined) {
    const all = Array.from(known.keys()).filter((at) => known[at].type === 'text')
    if (all.length > 0) return all
    throw new InvalidOptionError(
      "this index has no field of type text, which a search for words needs; build it with `fields: { title: 'text' }`",
    )
  }
  const positions = namesIn('textFields', given).map((name) => fieldNamed(known, name, 'textFields'))
  for (const at of positions) {
    const { name, type } = known[at]
    if (type === 'text') continue
    throw new InvalidOptionError(`textFields: words are found in fields of type text, and ${name} is of type ${type}`)
  }
  if (positions.length === 0) throw new InvalidOptionError('textFields must name at least one field')
  return [...new Set(positions)].sort((a, b) => a - b)
}

/** The position of a field. @throws InvalidOptionError that names the nearest one */
export function fieldNamed(fields: readonly Field[], name: unknown, option: string): number {
  const at = fields.findIndex((field) => field.name === name)
  if (at >= 0) return at
  if (typeof name !== 'string')
    throw new InvalidOptionError(`${option} must be the name of a field, got ${kindOf(name)}`)
  throw new InvalidOptionError(`${option}: ${unknownField(name, fields)}`)
}

function namesIn(option: string, given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given as readonly unknown[]
  throw new InvalidOptionError(`${option} must be an array of names of fields, got ${kindOf(given)}`)
}
