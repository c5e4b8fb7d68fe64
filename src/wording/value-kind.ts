/** What a value is, in words, for messages about values of the wrong kind. */

const MOST_CHARACTERS = 40

/** "undefined", "the number 5", "the string "a"", "a Promise", "an array", "a Buffer", "a function". */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined'
    case 'string':
      return `the string ${JSON.stringify(shortened(value))}`
    case 'number':
    case 'bigint':
    case 'boolean':
      return `the ${typeof value} ${String(value)}`
    case 'object':
      return value === null ? 'null' : kindOfObject(value)
    default:
      return `a ${typeof value}`
  }
}

/** Promises of other realms and libraries are no instances of `Promise`. */
export function isThenable<Value = unknown>(value: unknown): value is PromiseLike<Value> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof (value as { then?: unknown }).then === 'function'
}

/**
 * What is wrong with a callback that answered with a promise, which nothing would await: its failure would end the
 * process. Undefined for any other answer. The promise is let go of.
 */
export function promisedText(callback: string, answer: unknown): string | undefined {
  if (!isThenable(answer)) return undefined
  letGo(answer)
  return `${callback} returned a Promise, which nothing awaits; give a function that is not async`
}

/** Its failure is reported by the error that it is not wanted. */
export function letGo(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => undefined)
}

/** The name of the value's class; built-in classes of other realms have theirs. */
export function className(value: object): string {
  const { constructor } = value as { constructor?: unknown }
  if (typeof constructor === 'function' && constructor.name !== '') return constructor.name
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

function kindOfObject(value: object): string {
  if (isThenable(value)) return 'a Promise'
  const name = className(value)
  if (name === 'Array') return 'an array'
  if (name === 'Object') return 'an object'
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`
}
