/** A command: its words and options, and what runs it. */
import type { Command } from 'commander'
import * as v from 'valibot'
import { checkOptions } from '../options/check-options.js'
import type { OptionLayer } from '../options/config/merge-options.js'
import { renameOptions } from '../options/renamed-options.js'
import { COMMON_OPTIONS } from '../options/shared-options.js'
import { addOptionFlags, givenFlags } from './flags/option-flags.js'
import type { Session } from './session.js'

/** The checked options of a command, with their defaults. */
export type OptionsOf<Entries extends v.ObjectEntries> = Readonly<
  v.InferOutput<v.StrictObjectSchema<Entries & typeof COMMON_OPTIONS, undefined>>
>

/** What runs a command and shows its result: a module that is loaded when the command runs. */
export interface CommandBody<Options, Result> {
  /** `given`: the flags and arguments of the command line, without defaults. */
  readonly run: (options: Options, session: Session, given: OptionLayer) => Promise<Result>
  /** The result for people. Absent: `run` has printed it. */
  readonly print?: (result: Result, options: Options) => readonly string[]
  /** The result for --json, where it is not the result itself. */
  readonly json?: (result: Result, options: Options) => object
}

interface CommandDefinition<Entries extends v.ObjectEntries, Result> {
  readonly name: string
  /** A line in the list of commands. */
  readonly summary: string
  readonly description: string
  /** Where it is not the name, the flags and the arguments. */
  readonly usage?: string
  /** What the help says after the flags. */
  readonly notes: string
  readonly options: Entries
  readonly load: () => Promise<CommandBody<OptionsOf<Entries>, Result>>
}

export interface CliCommand {
  readonly name: string
  /** Without the flags of every command. */
  readonly options: v.ObjectEntries
  addTo(program: Command, session: Session): void
}

export function defineCommand<const Entries extends v.ObjectEntries, Result extends object | void>(
  definition: CommandDefinition<Entries, Result>,
): CliCommand {
  const { name, summary, description, usage, notes, options } = definition
  const addTo = (program: Command, session: Session): void => {
    const command = program.command(name).summary(summary).description(description).addHelpText('after', notes)
    if (usage !== undefined) command.usage(usage)
    addOptionFlags(command, { ...options, ...COMMON_OPTIONS })
    command.action(() => runCommand(definition, command, session))
  }
  return { name, options, addTo }
}

async function runCommand<Entries extends v.ObjectEntries, Result extends object | void>(
  { options: entries, load }: CommandDefinition<Entries, Result>,
  command: Command,
  session: Session,
): Promise<void> {
  const { terminal } = session
  const schema = v.strictObject({ ...entries, ...COMMON_OPTIONS })
  const layer = givenFlags(command, schema.entries)
  const warn = (message: string): void => {
    if (layer.options['quiet'] !== true) terminal.warn(message)
  }
  if (layer.options['logFormat'] === 'json') await terminal.logJson()
  const given = { ...layer, options: { ...renameOptions(schema.entries, layer.options, warn) } }
  const options = checkOptions(schema, given.options)
  const { run, print, json } = await load()
  const result = await run(options, session, given)
  if (result === undefined || print === undefined) return
  if (options.json) terminal.printJson(json === undefined ? result : json(result, options))
  else for (const line of print(result, options)) terminal.print(line)
}
