/** What a build is to do: from flags, a configuration file and defaults. */
import type { Command } from 'commander'
import { BUILD_COMMAND_OPTIONS } from '../../options/build-options.js'
import { findConfig, readConfig, type FoundConfig } from '../../options/config-file.js'
import type { ShardloomConfig } from '../../options/define-config.js'
import { FROM_DEFAULT, mergeOptions, type SettledOption } from '../../options/merge-options.js'
import { givenFlags } from './option-flags.js'
import { tableLines } from '../screen/table-lines.js'

export interface SettledBuild {
  /** What was given, without defaults. */
  readonly options: ShardloomConfig
  /** Every option, with its default where nothing was given, and where it comes from. */
  readonly settled: ReadonlyMap<string, SettledOption>
  /** The configuration file; undefined: none was found or wanted. */
  readonly config: string | undefined
}

/** Flags go before the configuration file, and that before defaults. */
export async function readBuildFlags(inputs: readonly string[], command: Command): Promise<SettledBuild> {
  const flags = givenFlags(command, BUILD_COMMAND_OPTIONS)
  const input = inputs.length > 1 ? { input: inputs } : inputs.length === 1 ? { input: inputs[0] } : {}
  const config = await configFor(command.opts<{ config?: string | boolean }>().config)
  const settled = mergeOptions(BUILD_COMMAND_OPTIONS, [
    { ...flags, options: { ...flags.options, ...input } },
    ...(config === undefined ? [] : [{ from: config.from, options: config.options as Record<string, unknown> }]),
  ])
  const given = [...settled].filter(([, { from }]) => from !== FROM_DEFAULT)
  return { options: Object.fromEntries(given.map(([name, { value }]) => [name, value])), settled, config: config?.from }
}

async function configFor(flag: string | boolean | undefined): Promise<FoundConfig | undefined> {
  if (flag === false) return undefined
  return typeof flag === 'string' ? readConfig(flag) : findConfig(process.cwd())
}

/** For --print-config with --json. */
export function configJson({ settled, config }: SettledBuild): object {
  const options = Object.fromEntries(
    [...settled].map(([name, { value, from }]) => [name, { value: value ?? null, from }]),
  )
  return { config: config ?? null, options }
}

/** For --print-config: name, value and where it comes from, a line each. */
export function configLines({ settled, config }: SettledBuild): string[] {
  const rows = [...settled].map(([name, { value, from, fallback }]) => [
    name,
    value === undefined ? `(${fallback ?? 'none'})` : typeof value === 'string' ? value : JSON.stringify(value),
    from,
  ])
  return [`configuration file: ${config ?? 'none'}`, '', ...tableLines(rows)]
}
