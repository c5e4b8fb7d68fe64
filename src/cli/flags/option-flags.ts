/** The flags of a command, out of the schema of its options. */
import { Option, type Command } from 'commander'
import type * as v from 'valibot'
import { checkValue } from '../../options/check-options.js'
import { optionFacts, type OptionFacts } from '../../options/option-facts.js'
import type { OptionLayer } from '../../options/merge-options.js'
import { textFlag } from './flag-values.js'

export function addOptionFlags(command: Command, entries: v.ObjectEntries): void {
  for (const facts of optionFacts(entries)) {
    if (facts.flag === undefined) continue
    const option = new Option(facts.flag, helpOf(facts))
    command.addOption(facts.kind === 'flag' ? option : option.argParser(flagParser(facts)))
    // The other way round, for a file that says otherwise.
    if (facts.kind === 'flag') command.addOption(new Option(oppositeOf(facts.flag)).hideHelp())
  }
}

/** The options that are on the command line, by their names in the schema. */
export function givenFlags(command: Command, entries: v.ObjectEntries): OptionLayer {
  const options: Record<string, unknown> = {}
  for (const { name, flag } of optionFacts(entries)) {
    if (flag === undefined) continue
    const attribute = new Option(flag).attributeName()
    if (command.getOptionValueSource(attribute) === 'cli') options[name] = command.getOptionValue(attribute)
  }
  return { from: 'flag', options }
}

/** What a table and the help say of a default: a value, words, or nothing. */
export function defaultText({ kind, defaultValue, fallback }: OptionFacts): string | undefined {
  if (kind === 'flag') return undefined
  return defaultValue === undefined ? fallback : String(defaultValue)
}

function helpOf(facts: OptionFacts): string {
  const text = defaultText(facts)
  if (text === 'required') return `${facts.help} (required)`
  return text === undefined || text === 'none' || text === 'unknown' ? facts.help : `${facts.help} (default: ${text})`
}

function oppositeOf(flag: string): string {
  return flag.startsWith('--no-') ? flag.replace('--no-', '--') : flag.replace('--', '--no-')
}

function flagParser({ kind, flag = '', schema }: OptionFacts): (text: string) => unknown {
  const name = flag.split(' ')[0]
  return (text) => {
    if (kind === 'text') textFlag(name)(text)
    return checkValue(name, schema, valueOf(kind, text), JSON.stringify(text))
  }
}

/** Numbers are written in plain decimals: no sign, exponent or blanks. What is none stays text, which no schema of numbers takes. */
function valueOf(kind: OptionFacts['kind'], text: string): unknown {
  const isNumber = kind === 'integer' ? /^\d+$/ : kind === 'number' ? /^(\d+(\.\d+)?|\.\d+)$/ : undefined
  return isNumber?.test(text) === true ? Number(text) : text
}
