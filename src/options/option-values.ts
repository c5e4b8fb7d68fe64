/**
 * What values of options can be, as schemas. Each has as its message what is allowed, which check-options.ts makes a
 * sentence of: 'm must be …, got …'; and as metadata how a flag's text becomes such a value.
 */
import * as v from 'valibot'
import { byteSize } from '../memory/byte-size.js'

/** What text on the command line is read as before it is checked. */
export type TextKind = 'integer' | 'number' | 'text' | 'size' | 'flag'

/** What the command line and the documents need to know of an option beside its values. */
export interface OptionNotes {
  readonly kind?: TextKind
  /** A path, or several: in a configuration file it is relative to that file's folder. */
  readonly isPath?: true
  /** How the flag's value is called in the help: N in `--m <N>`. */
  readonly value?: string
  /** The flag where it is not the option's name in kebab case. */
  readonly flag?: string
  /** Not a flag: an argument, or for programs only. */
  readonly noFlag?: true
  /** What comes about without it, in words, where that is no single value. */
  readonly fallback?: string
}

const kind = <Input>(name: TextKind): v.MetadataAction<Input, { readonly kind: TextKind }> => v.metadata({ kind: name })

export function integer(least: number, most: number) {
  const allowed = `an integer from ${least} to ${most}`
  return v.pipe(
    v.number(allowed),
    v.check((value) => Number.isInteger(value) && value >= least && value <= most, allowed),
    kind('integer'),
  )
}

export function numberFrom(least: number, most: number) {
  const allowed = `a number from ${least} to ${most}`
  return v.pipe(v.number(allowed), v.minValue(least, allowed), v.maxValue(most, allowed), kind('number'))
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

/** A size that may be nothing at all. */
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

/** What the help and the tables say of an option, and its notes. */
export function option<const Schema extends v.GenericSchema>(schema: Schema, help: string, notes: OptionNotes = {}) {
  return v.pipe(schema, v.description(help), v.metadata(notes as Readonly<Record<string, unknown>>))
}
