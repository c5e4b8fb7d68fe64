import * as v from 'valibot'
import type { OptionNotes, TextKind } from './option-values.js'

/** What a schema's entry says of one option, for flags, help and tables. */
export interface OptionFacts {
  readonly name: string
  readonly kind: TextKind
  readonly isPath: boolean
  /** As on the command line: `--keep-generations <N>`, `--no-resume`; undefined: there is none. */
  readonly flag: string | undefined
  readonly help: string
  readonly required: boolean
  /** The value without it; undefined where that is no single value. */
  readonly defaultValue: string | number | boolean | undefined
  /** In words, as "the cores"; undefined where there is a value, or nothing to say. */
  readonly fallback: string | undefined
  readonly schema: v.GenericSchema
}

export function optionFacts(entries: v.ObjectEntries): OptionFacts[] {
  return Object.entries(entries).map(([name, entry]) => factsOf(name, entry))
}

function factsOf(name: string, entry: v.GenericSchema): OptionFacts {
  const schema = 'wrapped' in entry ? (entry.wrapped as v.GenericSchema) : entry
  const { kind = 'text', isPath = false, value, flag, noFlag = false, fallback } = v.getMetadata(schema) as OptionNotes
  const defaultValue = v.getDefault(entry) as OptionFacts['defaultValue']
  // What is on without a flag is only ever switched off by one.
  const long = `--${defaultValue === true ? 'no-' : ''}${flag ?? kebabCase(name)}`
  return {
    name,
    kind,
    isPath,
    flag: noFlag ? undefined : value === undefined ? long : `${long} <${value}>`,
    help: v.getDescription(schema) ?? '',
    required: entry === schema,
    defaultValue,
    fallback,
    schema,
  }
}

/** keepGenerations → keep-generations. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
