import { kindOf } from '../../wording/value-kind.js'
import { isPlainObject } from '../schema.js'
import { isWellFormed } from './text-order.js'

/** Deeper values are more likely to contain themselves. */
const MAX_DEPTH = 100

/**
 * Why a value would not come back from JSON as it is; undefined when it does. JSON would make text of a Date, null of
 * NaN, {} of a Map, and nothing of a function. A property that is undefined counts as left out.
 */
export function storedProblem(value: unknown, depth = 0): string | undefined {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? undefined : 'has text with half of a surrogate pair'
    case 'number':
      return Number.isFinite(value) ? undefined : `has ${value}, which JSON cannot express`
    case 'boolean':
      return undefined
    case 'object':
      if (value === null) return undefined
      if (depth >= MAX_DEPTH) return `is nested more than ${MAX_DEPTH} deep, or contains itself`
      return Array.isArray(value) ? itemsProblem(value, depth) : propertiesProblem(value, depth)
    default:
      return `has ${kindOf(value)}, which JSON cannot express`
  }
}

function itemsProblem(items: readonly unknown[], depth: number): string | undefined {
  // By index: `for … of` and `forEach` would treat the holes of an array differently.
  for (let i = 0; i < items.length; i++) {
    const problem = storedProblem(items[i], depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}

function propertiesProblem(object: object, depth: number): string | undefined {
  if (!isPlainObject(object)) return `has ${kindOf(object)}, which JSON cannot express`
  for (const [name, value] of Object.entries(object)) {
    const problem = isWellFormed(name) ? undefined : 'has a name with half of a surrogate pair'
    const ofValue = problem ?? (value === undefined ? undefined : storedProblem(value, depth + 1))
    if (ofValue !== undefined) return ofValue
  }
  return undefined
}
