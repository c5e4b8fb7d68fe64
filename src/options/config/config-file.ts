/** Finds and reads the configuration of a project, for the command line only: a program passes its options. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { lilconfig, type LilconfigResult, type Loader } from 'lilconfig'
import { InvalidFileError, PathError } from '../../errors.js'
import { BUILD_COMMAND_OPTIONS, buildConfigSchema } from '../build-options.js'
import { checkOptions } from '../check-options.js'
import { optionFacts } from '../option-facts.js'
import { renameOptions, warnProcess } from '../renamed-options.js'
import type { ShardloomConfig } from './define-config.js'
import { messageOf } from '../../runtime/realms.js'

/** In each folder the first file of this list counts. */
const SEARCH_PLACES = [
  'shardloom.config.json',
  'shardloom.config.ts',
  'shardloom.config.js',
  'shardloom.config.mjs',
  'package.json',
]

/** Is told of old names of options. */
type Warn = (message: string) => void

export interface FoundConfig {
  /** The absolute path of the file; of package.json with the key. */
  readonly from: string
  /** Checked; paths are absolute. Defaults are not filled in. */
  readonly options: ShardloomConfig
}

/**
 * The configuration in `folder` or the nearest folder above it, up to the home folder; undefined: there is none.
 * @throws InvalidFileError for a file that cannot be read as what it is, InvalidOptionError for wrong options in it.
 */
export async function findConfig(folder: string, warn: Warn = warnProcess): Promise<FoundConfig | undefined> {
  const found = await reader().search(folder)
  return found === null ? undefined : configIn(found, warn)
}

/** The configuration in this file, which may have any name; its extension decides how it is read. */
export async function readConfig(file: string, warn: Warn = warnProcess): Promise<FoundConfig> {
  const filepath = path.resolve(file)
  if (!['.json', '.ts', '.js', '.mjs'].includes(path.extname(filepath))) {
    throw new PathError(file, 'a configuration file must end with .json, .ts, .js or .mjs')
  }
  try {
    const loaded = await reader().load(filepath)
    return configIn(loaded ?? { filepath, config: undefined }, warn)
  } catch (error) {
    if (isMissing(error, filepath)) throw new PathError(file, 'there is no such configuration file', error)
    throw error
  }
}

function reader(): ReturnType<typeof lilconfig> {
  return lilconfig('shardloom', {
    searchPlaces: SEARCH_PLACES,
    ignoreEmptySearchPlaces: false,
    loaders: { '.json': readJson, '.ts': readTypeScript, '.js': readModule, '.mjs': readModule },
  })
}

function configIn({ filepath, config: given, isEmpty = false }: NonNullable<LilconfigResult>, warn: Warn): FoundConfig {
  if (isEmpty) throw new InvalidFileError(filepath, 'it is empty')
  const isPackage = path.basename(filepath) === 'package.json'
  if (isPackage && given === null) throw new InvalidFileError(filepath, 'it has no key "shardloom"')
  const from = isPackage ? `${filepath}#shardloom` : filepath
  const where = `${from}: `
  // Checked, but not taken from the result: that has the defaults, which come after flags.
  checkOptions(buildConfigSchema, given, { where, warn })
  const options = renameOptions(BUILD_COMMAND_OPTIONS, given as object, () => undefined)
  return { from, options: absolutePaths(options, path.dirname(filepath)) }
}

/** Paths in a configuration file are relative to its folder, not to the working folder. */
function absolutePaths(options: ShardloomConfig, folder: string): ShardloomConfig {
  const absolute = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(absolute)
    // '-' is standard input.
    return typeof value === 'string' && value !== '-' ? path.resolve(folder, value) : value
  }
  const isPath = new Map(optionFacts(BUILD_COMMAND_OPTIONS).map((facts) => [facts.name, facts.isPath]))
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, isPath.get(name) === true ? absolute(value) : value]),
  )
}

const readJson: Loader = (file, content) => {
  try {
    return JSON.parse(content.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    throw new InvalidFileError(file, `it is not JSON: ${String((error as Error).message)}`, { cause: error })
  }
}

const readModule: Loader = (file) => run(file, async () => defaultOf(await import(pathToFileURL(file).href)))

/** Node.js reads it where it strips types, else jiti. */
const readTypeScript: Loader = (file) =>
  run(file, async () => {
    const { typescript } = process.features as { typescript?: string | false }
    if (typeof typescript === 'string') return defaultOf(await import(pathToFileURL(file).href))
    const { createJiti } = await import('jiti')
    return defaultOf(await createJiti(import.meta.url, { fsCache: false }).import(file))
  })

function defaultOf(module: unknown): unknown {
  return (module as { default?: unknown }).default
}

/** The file is a program, which may fail in any way. */
async function run(file: string, load: () => Promise<unknown>): Promise<unknown> {
  let config: unknown
  try {
    config = await load()
  } catch (error) {
    throw new InvalidFileError(file, `it failed: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (config === undefined) throw new InvalidFileError(file, 'it has no default export: export default { … }')
  return config
}

function isMissing(error: unknown, file: string): boolean {
  const { code, path: at } = error as NodeJS.ErrnoException
  return (code === 'ENOENT' || code === 'EISDIR') && (at === undefined || at === file)
}
