/** The fields of a hit on one line. */
const MOST_CHARACTERS = 100

export function fieldsText(fields: object | undefined): string {
  if (fields === undefined) return ''
  const text = Object.entries(fields)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value.replace(/\s+/g, ' ') : JSON.stringify(value)}`)
    .join('  ')
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1)}…`
}
