/** Values of fields from the text of CSV cells. Pure. */
import type { FieldType, GeoPoint } from '../../api/fields.js'
import { jsonCell } from '../fields/json-cell.js'
import { integerDigits } from './exact-integer.js'
import { isNothing, isNumber, numberOf, vectorOfText } from './vector-text.js'

/** What stands in place of a value in a text that may be any text: nothing, or what `COPY … TO` of Postgres writes. */
const isEmpty = (text: string): boolean => text === '' || text === '\\N'

/** Undefined for a cell without a value. Throws an Error that says what the cell has and what was expected. */
export function fieldOfText(text: string, type: FieldType): unknown {
  if (type === 'keyword' || type === 'text') return isEmpty(text) ? undefined : text
  if (type === 'stored') return isEmpty(text) ? undefined : /^\s*[[{]/.test(text) ? jsonCell(text) : text
  if (isNothing(text)) return undefined
  switch (type) {
    case 'number':
      return numberOfCell(text)
    case 'boolean':
      return booleanOf(text)
    case 'date':
      return text.trim().replace(/ ?UTC$/, 'Z')
    case 'geo':
      return placeOf(text)
    case 'keyword[]':
      return itemsOf(text)
    case 'number[]': {
      const values = vectorOfText(text)
      if (typeof values !== 'string') return values
      throw new Error(`${values}, expected numbers such as [1, 2]`)
    }
  }
}

function numberOfCell(text: string): number | undefined {
  if (!isNumber(text)) throw wrong(text, 'a number')
  const value = numberOf(text)
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && integerDigits(text) !== undefined) {
    throw new Error(
      `the integer ${text.trim()}, beyond 2^53 − 1, where numbers are not exact; give the field the type keyword`,
    )
  }
  // Data frames write NaN where there is no number.
  return Number.isNaN(value) ? undefined : value
}

function booleanOf(text: string): boolean {
  const word = text.trim().toLowerCase()
  if (['true', 't', 'yes', '1'].includes(word)) return true
  if (['false', 'f', 'no', '0'].includes(word)) return false
  throw wrong(text, 'true or false')
}

const TWO_NUMBERS = /^\s*([+-]?[\d.]+)\s*[,; ]\s*([+-]?[\d.]+)\s*$/

function placeOf(text: string): GeoPoint {
  const found = TWO_NUMBERS.exec(text)
  if (found !== null) return { lat: Number(found[1]), lon: Number(found[2]) }
  if (/^\s*\{/.test(text)) return jsonCell(text) as unknown as GeoPoint
  throw wrong(text, 'a place such as 48.1, 11.6 or {"lat": 48.1, "lon": 11.6}')
}

/** A JSON array, `{a,"b c"}` as Postgres writes it, or one item. */
function itemsOf(text: string): unknown {
  const trimmed = text.trim()
  if (trimmed.startsWith('[')) return jsonCell(trimmed)
  if (!(trimmed.startsWith('{') && trimmed.endsWith('}'))) return [text]
  const items: string[] = []
  for (const [, quoted, bare] of trimmed.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^",]+)/g)) {
    if (quoted !== undefined) items.push(quoted.replace(/\\(.)/g, '$1'))
    else if (bare.trim() !== '' && bare.trim() !== 'NULL') items.push(bare.trim())
  }
  return items
}

function wrong(text: string, expected: string): Error {
  return new Error(`${JSON.stringify(text.slice(0, 40))}, expected ${expected}`)
}
