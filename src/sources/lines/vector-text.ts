/** Vectors as text, and numbers in text. Pure. */
import { MAX_DIMENSIONS } from '../../api/vectors.js'

/** What databases and data frames write where there is nothing. */
const NOTHING = /^(?:|null|none|na|n\/a|\\N)$/i
const BRACKETS: ReadonlyMap<string, string> = new Map([
  ['[', ']'],
  ['{', '}'],
  ['(', ')'],
])

export function isNothing(text: string): boolean {
  return NOTHING.test(text.trim())
}

/** Whether a text is a number, `nan` and `inf` as Python writes them included. */
export function isNumber(text: string): boolean {
  return !isNothing(text) && (!Number.isNaN(Number(text)) || /^\s*[+-]?(?:nan|inf|infinity)\s*$/i.test(text))
}

export function numberOf(text: string): number {
  const trimmed = text.trim()
  return /^[+-]?inf/i.test(trimmed) ? (trimmed.startsWith('-') ? -Infinity : Infinity) : Number(trimmed)
}

export function isVectorText(text: string): boolean {
  const trimmed = text.trim()
  const closing = BRACKETS.get(trimmed[0])
  return closing !== undefined && trimmed.endsWith(closing)
}

/**
 * `[1, 2]` as JSON and pgvector write it, `{1,2}` as Postgres does, `[1. 2.]` as NumPy does; a reason as text for
 * another text.
 */
export function vectorOfText(text: string): number[] | string {
  const trimmed = text.trim()
  if (!isVectorText(trimmed)) return 'text that is no vector such as [1, 2]'
  const inner = trimmed.slice(1, -1).trim()
  if (inner === '') return []
  if (inner.includes('...'))
    return 'a vector that NumPy shortened with ...; write it with numpy.set_printoptions(threshold=sys.maxsize)'
  const parts = inner.includes(',') ? inner.split(',') : inner.split(/\s+/)
  if (parts.length > MAX_DIMENSIONS) return `${parts.length} numbers, expected at most ${MAX_DIMENSIONS},`
  const vector = new Array<number>(parts.length)
  for (let i = 0; i < parts.length; i++) {
    if (!isNumber(parts[i])) return `${JSON.stringify(parts[i].slice(0, 40))} at place ${i} of its vector`
    vector[i] = numberOf(parts[i])
  }
  return vector
}
