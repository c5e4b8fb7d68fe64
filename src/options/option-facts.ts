import * as v from 'valibot'
import type { OptionNotes, TextKind } from './option-values.js'

/** What the schema of one option says, for flags, help, tables and interfaces. */
export interface OptionFacts {
  readonly name: string
  readonly kind: TextKind
  readonly isPath: boolean
  /** As on the command line: `--keep-generations <N>`, `--no-resume`, `-k <N>`; undefined: it has no flag. */
  readonly flag: string | undefined
  /** Another way to write the flag: `-o, --output`. */
  readonly alias: string | undefined
  /** An argument that may stand in place of the flag: `[queries]`. */
  readonly orArgument: string | undefined
  /** As on the command line: `<DIR>`, `[input...]`; undefined: it is not an argument. */
  readonly argument: string | undefined
  /** What the flag's opposite does, where the help shows it. */
  readonly opposite: string | undefined
  /** A line of the help text. */
  readonly help: string
  /** For the documents and comments: `help`, or more where that is not enough. */
  readonly doc: string
  /** Its type in TypeScript. */
  readonly type: string
  readonly required: boolean
  /** Undefined: it has no default, or the default is not one value. */
  readonly defaultValue: string | number | boolean | undefined
  /** The default in words, such as "the cores"; undefined where it is one value. */
  readonly fallback: string | undefined
  readonly schema: v.GenericSchema
}

export function optionFacts(entries: v.ObjectEntries): OptionFacts[] {
  return Object.entries(entries).map(([name, entry]) => factsOf(name, entry))
}

function factsOf(name: string, entry: v.GenericSchema): OptionFacts {
  const schema = 'wrapped' in entry ? (entry.wrapped as v.GenericSchema) : entry
  const notes = v.getMetadata(schema) as OptionNotes
  const { kind = 'text', isPath = false, argument, opposite, alias, orArgument } = notes
  const help = v.getDescription(schema) ?? ''
  const required = entry === schema
  const defaultValue = v.getDefault(entry) as OptionFacts['defaultValue']
  return {
    name,
    kind,
    isPath,
    flag: notes.noFlag === true || argument !== undefined ? undefined : flagOf(name, notes, defaultValue === true),
    alias,
    orArgument,
    argument,
    opposite,
    help,
    doc: notes.doc ?? help,
    type: notes.type ?? typeOf(schema),
    required,
    defaultValue,
    fallback: required ? 'required' : notes.fallback,
    schema,
  }
}

/** An option that is on by default has a flag that switches it off. */
function flagOf(name: string, { flag = kebabCase(name), value }: OptionNotes, isOn: boolean): string {
  const long = flag.startsWith('-') ? flag : `--${isOn ? 'no-' : ''}${flag}`
  return value === undefined ? long : `${long} <${value}>`
}

/** A schema, with the parts that its type depends on. */
interface SchemaShape extends v.GenericSchema {
  /** The values of a picklist, or the schemas of a union. */
  readonly options?: readonly (string | SchemaShape)[]
  /** Of an array. */
  readonly item?: SchemaShape
}

function typeOf({ type, options = [], item }: SchemaShape): string {
  if (type === 'array') return item === undefined ? 'unknown' : `readonly ${typeOf(item)}[]`
  if (type !== 'union' && type !== 'picklist') return type
  return options.map((option) => (typeof option === 'string' ? `'${option}'` : typeOf(option))).join(' | ')
}

/** keepGenerations → keep-generations. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
