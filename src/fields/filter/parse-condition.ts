/** What a filter asks of one field: a value, or operators. */
import type { InvalidOptionError } from '../../errors.js'
import { nearestName } from '../../wording/near-name.js'
import { kindOf } from '../../wording/value-kind.js'
import type { Field } from '../field.js'
import type { FilterLeaf, FilterNode, InLeaf } from '../filter-node.js'
import { isPlainObject } from '../schema.js'
import { combined, NOTHING } from './combine.js'
import { existsOf, listOf, operandOf, placeOf, wrong, type Operand } from './operands.js'
import { OPERATORS_OF, type FieldOperator } from './operators.js'
import { RangeBounds } from './range-bounds.js'

/** `$not` in `$not` in one field says nothing that a filter cannot say without. */
const MAX_NOTS = 8

/** @throws InvalidOptionError */
export function parseCondition(
  fields: readonly Field[],
  position: number,
  condition: unknown,
  negated: boolean,
  nots = 0,
): FilterNode {
  const field = fields[position]
  if (!isPlainObject(condition)) {
    const node = { field: position, negated }
    if (condition !== null && typeof condition === 'object' && Symbol.iterator in condition) {
      throw wrong(
        field.name,
        undefined,
        `is compared with ${kindOf(condition)}; { "$in": [ … ] } finds one of several values`,
      )
    }
    assertTakes(field, '$eq')
    return inLeaf(node, [operandOf(field, '$eq', condition)])
  }
  const operators = Object.keys(condition)
  if (operators.length === 0) throw wrong(field.name, undefined, `an operator is needed: ${takes(field)}`)
  const bounds = new RangeBounds()
  const nodes: FilterNode[] = []
  for (const operator of operators) {
    const operand = condition[operator]
    if (operator === '$not') {
      if (nots === MAX_NOTS) throw wrong(field.name, '$not', `nested more than ${MAX_NOTS} deep`)
      nodes.push(parseCondition(fields, position, operand, !negated, nots + 1))
    } else {
      assertTakes(field, operator)
      const node = { field: position, negated }
      if (!bounds.take(operator, () => operandOf(field, operator, operand))) {
        nodes.push(leafOf(field, operator, operand, node))
      }
    }
  }
  const range = bounds.leaf(position, negated)
  return combined('and', range === undefined ? nodes : [...nodes, range], negated)
}

type Place = Pick<FilterLeaf, 'field' | 'negated'>

/** The leaf of an operator that the field takes, and that is no bound. */
function leafOf(field: Field, operator: FieldOperator, operand: unknown, place: Place): FilterNode {
  const { field: position, negated } = place
  switch (operator) {
    case '$eq':
      return inLeaf(place, [operandOf(field, operator, operand)])
    case '$ne':
      return inLeaf({ field: position, negated: !negated }, [operandOf(field, operator, operand)])
    case '$in':
      return inLeaf(place, listOf(field, operator, operand))
    case '$nin':
      return inLeaf({ field: position, negated: !negated }, listOf(field, operator, operand))
    case '$near':
      return { op: 'near', ...place, ...placeOf(field, operand) }
    default:
      return { op: 'exists', field: position, negated: existsOf(field, operand) === negated }
  }
}

/** No value keeps nothing, and leaves out nothing that there is. */
function inLeaf(place: Place, values: readonly Operand[]): FilterNode {
  if (values.length > 0) return { op: 'in', ...place, values: values as InLeaf['values'] }
  return place.negated ? { op: 'exists', field: place.field, negated: false } : NOTHING
}

function assertTakes(field: Field, operator: string): asserts operator is FieldOperator {
  const operators = OPERATORS_OF[field.type]
  if (operators.some((known) => known === operator)) return
  throw notTaken(field, operator)
}

function notTaken(field: Field, operator: string): InvalidOptionError {
  const { name, type } = field
  const known = Object.values(OPERATORS_OF).some((operators) => operators.some((one) => one === operator))
  if (known) {
    const as = operator === '$eq' ? 'equality' : operator
    return wrong(
      name,
      undefined,
      `${as} is not for a field of type ${type}, which takes ${takes(field)}${HINTS[type] ?? ''}`,
    )
  }
  if (!operator.startsWith('$')) {
    const instead = type === 'geo' ? '{ "$near": { lat, lon, km } }' : `a value, or ${takes(field)}`
    return wrong(name, undefined, `${JSON.stringify(operator)} is no operator; give ${instead}`)
  }
  const meant = nearestName(operator, [...OPERATORS_OF[type], '$not'])
  const hint = meant === undefined ? `it takes ${takes(field)}` : `did you mean "${meant}"?`
  return wrong(name, undefined, `unknown operator ${JSON.stringify(operator)}; ${hint}`)
}

const HINTS: Readonly<Record<string, string>> = {
  text: "; the option text of a search finds words, and a second field of type 'keyword' whole values",
  stored: '; make it a keyword, a number, a date or a boolean to filter by it',
}

function takes({ type }: Field): string {
  return OPERATORS_OF[type].join(', ')
}
