/**
 * The values an option can have, as schemas. The message of each schema says what is allowed; check-options.ts makes a
 * sentence of it: 'm must be …, got …'. Its metadata says how the text of a flag becomes such a value.
 */
import * as v from 'valibot'
import { isPlainObject } from '../fields/schema.js'
import { byteSize } from '../memory/byte-size.js'
import type { FieldsToRead } from '../sources/fields/wanted-fields.js'

/** How text on the command line is read before it is checked. 'integers' and 'names' have commas between them. */
export type TextKind = 'integer' | 'integers' | 'names' | 'number' | 'text' | 'size' | 'flag'

/** What the command line and the documents need to know of an option besides its values. */
export interface OptionNotes {
  readonly kind?: TextKind
  /** A path, or several: in a configuration file it is relative to the file's folder. */
  readonly isPath?: true
  /** The name of the flag's value in the help: N in `--m <N>`. */
  readonly value?: string
  /** The flag, where it is not the option's name in kebab case: `overwrite` is `--force`, `k` is `-k`. */
  readonly flag?: string
  /** Another way to write the flag, which the help does not list: '-o, --output'. */
  readonly alias?: string
  /** An argument of the command that may stand in place of the flag: '[queries]'. */
  readonly orArgument?: string
  /** An argument of the command in place of a flag: '<DIR>', '[input...]'. */
  readonly argument?: string
  /** What the opposite of the flag, `--no-…`, does; absent: the help does not show it. */
  readonly opposite?: string
  /** Only programs have it. */
  readonly noFlag?: true
  /** The default in words, where it is not one value: 'the cores'. */
  readonly fallback?: string
  /** The type in TypeScript, where the schema does not say it well: 'Metric'. */
  readonly type?: string
  /** For the interface and the tables of options, where `help`, a line of the help text, is not enough. */
  readonly doc?: string
}

const kind = <Input>(name: TextKind): v.MetadataAction<Input, { readonly kind: TextKind }> => v.metadata({ kind: name })

const isIntegerFrom = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

export function integer(least: number, most: number) {
  const allowed = `an integer from ${least} to ${most}`
  return v.pipe(
    v.number(allowed),
    v.check((value) => isIntegerFrom(value, least, most), allowed),
    kind('integer'),
  )
}

/** A list with at least one integer. */
export function integers(least: number, most: number) {
  const allowed = `a list of integers from ${least} to ${most}`
  return v.pipe(
    v.array(v.number(allowed), allowed),
    v.check((values) => values.length > 0 && values.every((value) => isIntegerFrom(value, least, most)), allowed),
    kind('integers'),
  )
}

export function numberFrom(least: number, most: number) {
  const allowed = `a number from ${least} to ${most}`
  return v.pipe(v.number(allowed), v.minValue(least, allowed), v.maxValue(most, allowed), kind('number'))
}

/** A share of 1 that is not 0. */
export function share() {
  const allowed = 'a number above 0 and up to 1'
  return v.pipe(v.number(allowed), v.gtValue(0, allowed), v.maxValue(1, allowed), kind('number'))
}

export function choice<const Name extends string>(names: readonly Name[]) {
  return v.pipe(v.picklist(names, `one of ${names.join(', ')}`), kind('text'))
}

/** Bytes, or text such as '512MB'. */
export function size() {
  const allowed = 'a size such as 512MB, 2GB or 1.5GiB'
  return v.pipe(
    v.union([v.number(), v.string()], allowed),
    v.check((value) => byteSize(value) !== undefined, allowed),
    kind('size'),
  )
}

/** A size that may be 0. */
export function sizeOrZero() {
  const allowed = '0 or a size such as 512MB, 2GB or 1.5GiB'
  return v.pipe(
    v.union([v.number(), v.string()], allowed),
    v.check((value) => value === 0 || value === '0' || byteSize(value) !== undefined, allowed),
    kind('size'),
  )
}

export function text() {
  return v.pipe(v.string('a string'), kind('text'))
}

/** Text that is not empty: a path, a name. */
export function name(allowed: string) {
  return v.pipe(v.string(allowed), v.minLength(1, allowed), kind('text'))
}

/** Columns of files that become fields: a schema, or names with a type after a colon or without. */
export function fieldsToRead() {
  return v.pipe(
    v.custom<FieldsToRead>(
      (value) =>
        isPlainObject(value) ||
        (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '')),
      "names of columns such as category,price:number, or an object such as { price: 'number' }",
    ),
    kind('names'),
  )
}

/** A list with at least one name. */
export function names(allowed: string) {
  return v.pipe(
    v.array(v.pipe(v.string(allowed), v.minLength(1, allowed)), allowed),
    v.minLength(1, allowed),
    kind('names'),
  )
}

export function flag() {
  return v.pipe(v.boolean('true or false'), kind('flag'))
}

/** A function, or an object with these methods. */
export function callable<Type>(allowed: string, methods: readonly string[] = []) {
  return v.custom<Type>(
    (value) =>
      methods.length === 0
        ? typeof value === 'function'
        : typeof value === 'object' &&
          value !== null &&
          methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
    allowed,
  )
}

/** An option: its values, its line in the help, and its notes. Later notes replace earlier ones. */
export function option<const Schema extends v.GenericSchema>(schema: Schema, help: string, notes: OptionNotes = {}) {
  return v.pipe(schema, v.description(help), v.metadata(notes as Readonly<Record<string, unknown>>))
}
