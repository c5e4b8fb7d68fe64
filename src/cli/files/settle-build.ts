/** The options of one build: from flags, a configuration file and defaults. */
import { environmentLayers } from '../flags/cluster-flags.js'
import { BUILD_COMMAND_OPTIONS } from '../../options/build-options.js'
import { findConfig, readConfig } from '../../options/config/config-file.js'
import type { ShardloomConfig } from '../../options/config/define-config.js'
import { FROM_DEFAULT, mergeOptions, type OptionLayer, type SettledOption } from '../../options/config/merge-options.js'

export interface SettledBuild {
  /** What was given, without defaults. */
  readonly options: ShardloomConfig
  /** Every option, with its default where nothing was given, and where it comes from. */
  readonly settled: ReadonlyMap<string, SettledOption>
  /** The configuration file; undefined: none was found or wanted. */
  readonly config: string | undefined
  /** Old names of options in the configuration file. */
  readonly warnings: readonly string[]
}

/**
 * Flags win over the environment, that over the configuration file, and the file over defaults. `config`: the file to read, false for none,
 * undefined for the nearest one.
 */
export async function settleBuild(flags: OptionLayer, config: string | false | undefined): Promise<SettledBuild> {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const found =
    config === false
      ? undefined
      : config === undefined
        ? await findConfig(process.cwd(), warn)
        : await readConfig(config, warn)
  const settled = mergeOptions(BUILD_COMMAND_OPTIONS, [
    flags,
    ...environmentLayers(),
    ...(found === undefined ? [] : [{ from: found.from, options: { ...found.options } }]),
  ])
  const given = [...settled].filter(([, { from }]) => from !== FROM_DEFAULT)
  const options: ShardloomConfig = Object.fromEntries(given.map(([name, { value }]) => [name, value]))
  return { options, settled, config: found?.from, warnings }
}
