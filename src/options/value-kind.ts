/** What a value is, in words, for messages about values of the wrong kind. */

const PRIMITIVES: ReadonlySet<string> = new Set(['number', 'bigint', 'boolean', 'undefined'])
const MOST_CHARACTERS = 40

/** "undefined", "the number 5", "the string "a"", "a Promise", "an array", "a Buffer", "a function". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (typeof value === 'string') return `the string ${JSON.stringify(shortened(value))}`
  if (PRIMITIVES.has(typeof value)) return `the ${typeof value} ${String(value)}`
  if (typeof value !== 'object') return `a ${typeof value}`
  if (isThenable(value)) return 'a Promise'
  const name = className(value)
  if (name === 'Array') return 'an array'
  return name === 'Object' ? 'an object' : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
}

/** Promises of other realms and libraries are none of `Promise`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** The name of the value's class; built-in classes of other realms have theirs. */
export function className(value: object): string {
  const { constructor } = value as { constructor?: { name?: unknown } | undefined }
  const name = typeof constructor === 'function' ? (constructor as { name?: unknown }).name : undefined
  if (typeof name === 'string' && name !== '') return name
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`
}
