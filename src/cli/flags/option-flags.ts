/** The arguments and flags of a command, from the schema of its options. */
import { Argument, Option, type Command } from 'commander'
import type * as v from 'valibot'
import { InvalidOptionError } from '../../errors.js'
import { checkValue } from '../../options/check-options.js'
import type { OptionLayer } from '../../options/config/merge-options.js'
import { optionFacts, type OptionFacts } from '../../options/option-facts.js'
import { oldNames } from '../../options/renamed-options.js'

/** An option that has a flag. */
type FlagFacts = OptionFacts & { readonly flag: string }

export function addOptionFlags(command: Command, entries: v.ObjectEntries): void {
  const all = optionFacts(entries)
  for (const { argument, help } of all) {
    if (argument !== undefined) command.addArgument(new Argument(argument, help))
  }
  for (const { orArgument, help } of all) {
    if (orArgument !== undefined) command.addArgument(new Argument(orArgument, help))
  }
  for (const facts of all.filter(hasFlag)) {
    // What an argument can give is asked for in givenFlags.
    const isMandatory = facts.required && facts.orArgument === undefined
    command.addOption(flagOption(facts, facts.flag).makeOptionMandatory(isMandatory))
    addAlias(command, facts)
    if (facts.kind === 'flag' || facts.opposite !== undefined) command.addOption(oppositeOption(facts))
  }
  for (const { old, facts } of oldFlags(entries)) command.addOption(flagOption(facts, old).hideHelp())
}

/** What is on the command line: the arguments and flags that were given, by the names of their options. */
export function givenFlags(command: Command, entries: v.ObjectEntries): OptionLayer {
  const options: Record<string, unknown> = {}
  const take = (name: string, flag: string): void => {
    const attribute = new Option(flag).attributeName()
    if (command.getOptionValueSource(attribute) === 'cli') options[name] = command.getOptionValue(attribute)
  }
  const all = optionFacts(entries)
  for (const { name, flag } of all.filter(hasFlag)) take(name, flag)
  for (const { name, old } of oldFlags(entries)) take(name, old)
  takeArguments(command, all, options)
  return { from: 'flag', options }
}

/** Arguments come in the order in which `addOptionFlags` added them. */
function takeArguments(command: Command, all: readonly OptionFacts[], options: Record<string, unknown>): void {
  const own = all.filter(({ argument }) => argument !== undefined)
  const instead = all.filter(({ orArgument }) => orArgument !== undefined)
  const values = command.processedArgs as readonly (string | readonly string[] | undefined)[]
  for (const [i, { name }] of own.entries()) {
    const value = values[i]
    if (typeof value === 'string') options[name] = value
    else if (value !== undefined && value.length > 0) options[name] = value.length === 1 ? value[0] : value
  }
  for (const [i, { name, flag, required }] of instead.entries()) {
    const value = values[own.length + i]
    if (value !== undefined && options[name] !== undefined) {
      throw new InvalidOptionError(`${flag} and the argument ${JSON.stringify(value)} say the same; give one`)
    }
    options[name] ??= value
    if (required && options[name] === undefined) {
      throw new InvalidOptionError(`required option '${flag}' not specified; see shardloom ${command.name()} --help`)
    }
  }
}

/** What the help and the tables say of a default: a value, words, or nothing. */
export function defaultText({ kind, defaultValue, fallback }: OptionFacts): string | undefined {
  return kind === 'flag' || defaultValue === undefined ? fallback : String(defaultValue)
}

/** Reads and checks the text of a flag; `flag` is what messages call it. */
export function flagParser({ kind, schema }: OptionFacts, flag: string): (text: string) => unknown {
  return (text) => {
    // A flag in place of a value: the value was forgotten. A file that begins with -- can be given as ./--name.
    if ((kind === 'text' || kind === 'names') && (text === '' || text.startsWith('--'))) {
      throw new InvalidOptionError(`${flag} must be followed by a value, got ${JSON.stringify(text)}`)
    }
    return checkValue(flag, schema, valueOf(kind, text), JSON.stringify(text))
  }
}

function hasFlag(facts: OptionFacts): facts is FlagFacts {
  return facts.flag !== undefined
}

function flagOption(facts: OptionFacts, flag: string): Option {
  const option = new Option(flag, helpOf(facts))
  return facts.kind === 'flag' ? option : option.argParser(flagParser(facts, flag.split(' ')[0]))
}

/** The other way to write a flag sets the same value. */
function addAlias(command: Command, facts: FlagFacts): void {
  const { alias, flag } = facts
  if (alias === undefined) return
  const [name, value] = flag.split(' ')
  const option = flagOption(facts, `${alias} ${value}`).hideHelp()
  command.addOption(option)
  const parse = flagParser(facts, name)
  command.on(`option:${option.name()}`, (text: string) =>
    command.setOptionValueWithSource(new Option(flag).attributeName(), parse(text), 'cli'),
  )
}

/** A flag can be reversed, for a configuration file that sets it; the help shows the opposite where it has a line. */
function oppositeOption({ flag, opposite }: FlagFacts): Option {
  const [long] = flag.split(' ')
  const other = long.startsWith('--no-') ? long.replace('--no-', '--') : long.replace('--', '--no-')
  return new Option(other, opposite).hideHelp(opposite === undefined)
}

/** The flags of old names, hidden from the help: `--storage <S>` with the option `storage`. */
function oldFlags(entries: v.ObjectEntries): { name: string; old: string; facts: FlagFacts }[] {
  const facts = optionFacts(entries).filter(hasFlag)
  return oldNames(entries).flatMap(([name, now]) =>
    facts.filter((one) => one.name === now).map((one) => ({ name, old: one.flag.replace(now, name), facts: one })),
  )
}

function helpOf(facts: OptionFacts): string {
  const text = defaultText(facts)
  if (text === 'required') return `${facts.help} (required)`
  return text === undefined || text === 'none' || text === 'unknown' ? facts.help : `${facts.help} (default: ${text})`
}

/** Digits with `_` between them, a fraction, an exponent: 1000000, 1_000_000, 1e6, 1.5e6, .5. */
const NUMBER = /^(\d+(_\d+)*(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i

/**
 * Numbers are written as programs write them, without sign or blanks. Other text stays text, which the schemas of
 * numbers refuse.
 */
function valueOf(kind: OptionFacts['kind'], text: string): unknown {
  if (kind === 'names') return text.split(',').map((part) => part.trim())
  if (kind === 'integers') return text.split(',').map((part) => valueOf('integer', part))
  const isNumber = (kind === 'integer' || kind === 'number') && NUMBER.test(text)
  return isNumber ? Number(text.replaceAll('_', '')) : text
}
