import type { RangeLeaf } from '../filter-node.js'
import { compareOperands, type Operand } from './operands.js'

interface Bound {
  readonly at: string | number
  readonly included: boolean
}

/** The bounds that one condition sets: one leaf, so that a list is kept for an item inside all of them. */
export class RangeBounds {
  #low: Bound | undefined
  #high: Bound | undefined

  /** Takes the operator when it is a bound. Of two bounds on one side the tighter one counts. */
  take(operator: string, operand: () => Operand): boolean {
    if (operator === '$gt' || operator === '$gte') {
      const bound = { at: operand() as string | number, included: operator === '$gte' }
      if (this.#low === undefined || isTighter(bound, this.#low, 1)) this.#low = bound
      return true
    }
    if (operator === '$lt' || operator === '$lte') {
      const bound = { at: operand() as string | number, included: operator === '$lte' }
      if (this.#high === undefined || isTighter(bound, this.#high, -1)) this.#high = bound
      return true
    }
    return false
  }

  leaf(field: number, negated: boolean): RangeLeaf | undefined {
    const [low, high] = [this.#low, this.#high]
    if (low === undefined && high === undefined) return undefined
    return {
      op: 'range',
      field,
      negated,
      ...(low === undefined ? {} : { low: low.at }),
      ...(high === undefined ? {} : { high: high.at }),
      lowIncluded: low?.included ?? false,
      highIncluded: high?.included ?? false,
    }
  }
}

function isTighter(bound: Bound, than: Bound, direction: 1 | -1): boolean {
  const order = direction * compareOperands(bound.at, than.at)
  return order > 0 || (order === 0 && !bound.included)
}
