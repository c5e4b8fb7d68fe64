/** Cells that hold JSON as text. */
import type { JsonValue } from '../../api/fields.js'

/** The most that the fields of one record may take. Longer text is not parsed: brackets become a hundred times as much. */
const MAX_JSON_CHARACTERS = 1 << 20

/** @throws Error that says what the text is */
export function jsonCell(text: string): JsonValue {
  if (text.length > MAX_JSON_CHARACTERS) {
    throw new Error(`JSON of ${text.length} characters, expected at most ${MAX_JSON_CHARACTERS}`)
  }
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    throw new Error(`text that is not JSON: ${JSON.stringify(text.slice(0, 40))}`, { cause })
  }
}
