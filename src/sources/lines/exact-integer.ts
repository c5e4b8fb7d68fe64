/** Integers of JSON that JSON.parse rounds: those beyond 2^53, such as snowflake ids. */

const DIGITS = /^-?\d+$/
const VALUE_DIGITS = /\s*:\s*(-?\d+)(?=\s*[,}])/y

/** The digits when the whole text is an integer; undefined otherwise. */
export function integerDigits(text: string): string | undefined {
  const digits = text.trim()
  return DIGITS.test(digits) ? digits : undefined
}

/**
 * The digits of the integer that a JSON object has under a key, as they stand in its text; undefined when the value is
 * written in another way. `text` must be sound JSON whose value has the key.
 */
export function fieldDigits(text: string, key: string): string | undefined {
  const written = JSON.stringify(key)
  const first = text.indexOf(written)
  // Without escapes a single place that looks like the key is the key.
  const isOnly = first >= 0 && text.indexOf(written, first + 1) < 0 && !text.includes('\\')
  return digitsAt(text, isOnly ? first + written.length : endOfKey(text, key))
}

function digitsAt(text: string, endOfName: number): string | undefined {
  VALUE_DIGITS.lastIndex = endOfName
  return VALUE_DIGITS.exec(text)?.[1]
}

/** Where the last key of this name ends in the outermost object, which is the one that JSON.parse takes. */
function endOfKey(text: string, key: string): number {
  let end = -1
  let depth = 0
  let expectsKey = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      const from = at
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
      if (expectsKey && depth === 1 && JSON.parse(text.slice(from, at + 1)) === key) end = at + 1
      expectsKey = false
    } else if (character === '{' || character === '[') {
      depth++
      expectsKey = true
    } else if (character === '}' || character === ']') depth--
    else if (character === ',') expectsKey = true
  }
  return end
}
