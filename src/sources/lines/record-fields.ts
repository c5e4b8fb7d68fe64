/** The id and the vector of a JSON record, by the names that the caller gave. Pure. */
import { MAX_DIMENSIONS, type Id } from '../../api/vectors.js'
import type { ColumnNames } from '../tables/choose-columns.js'
import type { LineRecord } from './row-gatherer.js'
import { jsonValueAt } from '../fields/json-values.js'
import { fieldDigits } from './exact-integer.js'
import { isVectorText, vectorOfText } from './vector-text.js'

/** A record, or a reason. `text`: the value as it is written, with every digit. */
export function recordOf(value: object, { vectorColumn, idColumn }: ColumnNames, text: string): LineRecord | string {
  if (Array.isArray(value)) {
    if (vectorColumn !== undefined || idColumn !== undefined) return `is an array, which has no fields with names`
    return recordWith('element', value, undefined)
  }
  const found = vectorColumn === undefined ? usualVector(value) : [vectorColumn, jsonValueAt(value, vectorColumn)]
  if (typeof found === 'string') return found
  const [name, vector] = found as [string, unknown]
  const id = exactInteger(jsonValueAt(value, idColumn ?? 'id'), idColumn ?? 'id', text)
  if (id === undefined && idColumn !== undefined) return `has no ${JSON.stringify(idColumn)}`
  return idProblem(id, idColumn ?? 'id') ?? recordWith(name, vector, id as Id | undefined)
}

function usualVector(value: object): [string, unknown] | string {
  const { vector, embedding } = value as { vector?: unknown; embedding?: unknown }
  if (vector !== undefined && embedding !== undefined) return 'has both "vector" and "embedding", expected one'
  return embedding === undefined ? ['vector', vector] : ['embedding', embedding]
}

function recordWith(name: string, given: unknown, id: Id | undefined): LineRecord | string {
  const vector = typeof given === 'string' && isVectorText(given) ? vectorOfText(given) : given
  if (typeof vector === 'string')
    return typeof given === 'string' && isVectorText(given) ? `has ${vector}` : wrongKind(name, given)
  if (vector === undefined) return `has no ${JSON.stringify(name)}`
  if (vector === null) return { id, vector: undefined, failure: `has null as ${JSON.stringify(name)}` }
  if (!Array.isArray(vector)) return wrongKind(name, vector)
  if (vector.length === 0) return { id, vector: undefined, failure: `has an empty ${JSON.stringify(name)}` }
  if (vector.length > MAX_DIMENSIONS) {
    return `has ${vector.length} numbers in ${JSON.stringify(name)}, expected at most ${MAX_DIMENSIONS}`
  }
  const values: readonly unknown[] = vector
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== 'number') return `has ${kindOf(values[i])} at ${name}[${i}], expected a number`
  }
  return { id, vector: vector as number[] }
}

function wrongKind(name: string, value: unknown): string {
  return `has ${kindOf(value)} as ${JSON.stringify(name)}, expected an array of numbers`
}

/** JSON.parse rounds integers beyond 2^53: their digits come from the text. */
function exactInteger(id: unknown, name: string, text: string): unknown {
  return typeof id === 'number' && Number.isInteger(id) && !Number.isSafeInteger(id)
    ? (fieldDigits(text, name) ?? id)
    : id
}

function idProblem(id: unknown, name: string): string | undefined {
  if (id === undefined || typeof id === 'string' || Number.isSafeInteger(id)) return undefined
  if (typeof id !== 'number') return `has ${kindOf(id)} as ${JSON.stringify(name)}, expected a string or an integer`
  const exact = Number.isInteger(id)
    ? 'an integer too large to be exact; write all its digits, or a string'
    : 'not an integer'
  return `has the id ${id}, ${exact}`
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
