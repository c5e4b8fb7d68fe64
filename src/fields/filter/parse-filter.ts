import { InvalidOptionError } from '../../errors.js'
import { nearestName } from '../../wording/near-name.js'
import { kindOf } from '../../wording/value-kind.js'
import type { Field } from '../field.js'
import type { FilterNode } from '../filter-node.js'
import { isPlainObject, unknownField } from '../schema.js'
import { combined } from './combine.js'
import { FIELD_OPERATORS, LOGICAL_OPERATORS } from './operators.js'
import { parseCondition } from './parse-condition.js'

/** A filter may come from a stranger, and each level is a call. */
const MAX_DEPTH = 64

/**
 * A filter as a program gives it, in its plainest form: negations are at the leaves, and no group holds another one of
 * its kind.
 * @throws InvalidOptionError that names the field or operator that was likely meant, and what an operator takes
 */
export function parseFilter(fields: readonly Field[], filter: unknown): FilterNode {
  const positions = new Map(fields.map(({ name }, at) => [name, at]))

  const parse = (given: unknown, negated: boolean, depth: number): FilterNode => {
    if (depth > MAX_DEPTH) throw new InvalidOptionError(`filter: nested more than ${MAX_DEPTH} deep`)
    if (!isPlainObject(given)) throw new InvalidOptionError(`filter must be an object, got ${kindOf(given)}`)
    const nodes = Object.keys(given).map((name) => parseEntry(name, given[name], negated, depth))
    return combined('and', nodes, negated)
  }

  const parseEntry = (name: string, value: unknown, negated: boolean, depth: number): FilterNode => {
    if (name === '$not') return parse(value, !negated, depth + 1)
    if (name === '$and' || name === '$or') {
      if (!Array.isArray(value)) {
        throw new InvalidOptionError(`filter: ${name} must be an array of filters, got ${kindOf(value)}`)
      }
      const nodes = Array.from(value, (given: unknown) => parse(given, negated, depth + 1))
      return combined(name === '$and' ? 'and' : 'or', nodes, negated)
    }
    const position = positions.get(name)
    if (position === undefined) throw new InvalidOptionError(`filter: ${unknownName(name, fields)}`)
    return parseCondition(fields, position, value, negated)
  }

  return parse(filter, false, 0)
}

function unknownName(name: string, fields: readonly Field[]): string {
  if (!name.startsWith('$')) return unknownField(name, fields)
  if (FIELD_OPERATORS.some((operator) => operator === name)) {
    return `${name} belongs to a field: { field: { ${name}: … } }`
  }
  const meant = nearestName(name, [...LOGICAL_OPERATORS, ...FIELD_OPERATORS])
  const known = meant === undefined ? `the operators are ${LOGICAL_OPERATORS.join(', ')}` : `did you mean "${meant}"?`
  return `unknown operator ${JSON.stringify(name)}; ${known}`
}
