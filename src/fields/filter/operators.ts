/** Which operators a field of a type takes. */
import type { FieldType } from '../../api/fields.js'

const ORDERED = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists'] as const
const EQUAL = ['$eq', '$ne', '$in', '$nin', '$exists'] as const

export type FieldOperator = (typeof ORDERED)[number] | '$near' | '$not'

export const FIELD_OPERATORS: readonly FieldOperator[] = [...ORDERED, '$near', '$not']

export const LOGICAL_OPERATORS = ['$and', '$or', '$not'] as const

/** Without `$not`, which every field takes. */
export const OPERATORS_OF: Readonly<Record<FieldType, readonly FieldOperator[]>> = {
  keyword: ORDERED,
  'keyword[]': ORDERED,
  number: ORDERED,
  'number[]': ORDERED,
  date: ORDERED,
  boolean: EQUAL,
  geo: ['$near', '$exists'],
  text: ['$exists'],
  stored: ['$exists'],
}
