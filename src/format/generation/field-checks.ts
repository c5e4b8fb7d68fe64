/** Checks parsed JSON field by field, and names the field that is wrong. */
import { CorruptIndexError } from '../../errors.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** The checks of one file. `field` is the dotted name for the error. */
export class FieldChecks {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  fail(field: string, expected: string, got: unknown): never {
    throw new CorruptIndexError(this.#path, `field ${field} must be ${expected}, got ${show(got)}`)
  }

  object(value: unknown, field: string): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail(field, 'an object', value)
    return value as JsonObject
  }

  array(value: unknown, field: string): readonly unknown[] {
    if (!Array.isArray(value)) this.fail(field, 'an array', value)
    return value as readonly unknown[]
  }

  /** Exactly these keys. */
  keys(object: JsonObject, names: readonly string[], field: string): void {
    const extra = Object.keys(object).find((name) => !names.includes(name))
    if (extra !== undefined) this.fail(field === '' ? extra : `${field}.${extra}`, 'absent', object[extra])
  }

  integer(value: unknown, field: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      this.fail(field, `an integer from ${least} to ${most}`, value)
    }
    return value as number
  }

  /** Finite. */
  number(value: unknown, field: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) this.fail(field, 'a number', value)
    return value
  }

  text(value: unknown, field: string): string {
    if (typeof value !== 'string') this.fail(field, 'a string', value)
    return value
  }

  matching(value: unknown, field: string, pattern: RegExp): string {
    if (typeof value !== 'string' || !pattern.test(value)) this.fail(field, `a string like ${String(pattern)}`, value)
    return value
  }

  oneOf<T extends string>(value: unknown, field: string, choices: readonly T[]): T {
    const choice = choices.find((one) => one === value)
    if (choice === undefined) this.fail(field, choices.map((one) => JSON.stringify(one)).join(' or '), value)
    return choice
  }
}

const SHOWN_CHARACTERS = 80

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}
