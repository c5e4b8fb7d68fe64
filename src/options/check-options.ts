import * as v from 'valibot'
import { InvalidOptionError } from '../errors.js'
import { isThenable, kindOf } from '../wording/value-kind.js'
import { interned } from '../runtime/interned.js'
import { nearestName } from '../wording/near-name.js'
import { kebabCase, optionFacts } from './option-facts.js'
import { hidePassword, withoutPassword } from './cluster/without-password.js'
import { renameOptions, warnProcess } from './renamed-options.js'

type OptionsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>

interface CheckSettings {
  /** Comes before each message: a file's name. */
  readonly where?: string
  /** Is told of old names. Default: `logger.warn` of the options, else a warning of the process. */
  readonly warn?: (message: string) => void
}

/**
 * The options with their defaults, under their new names.
 * @throws InvalidOptionError that names the option, what is allowed and what was given; for an unknown option, also the
 * nearest name.
 */
export function checkOptions<Schema extends OptionsSchema>(
  schema: Schema,
  given: unknown,
  { where = '', warn }: CheckSettings = {},
): v.InferOutput<Schema> {
  assertOptions(given, where)
  const options = renameOptions(schema.entries, given, warn ?? ((message) => warnCaller(given, message)), where)
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(schema.entries, name)) throw new InvalidOptionError(where + unknownOption(name, schema.entries))
  }
  const result = v.safeParse(schema, options, { abortEarly: true })
  if (result.success) return withInternedStrings(result.output)
  const [issue] = result.issues
  const { key, value } = placeOf(issue.path) ?? { key: 'options', value: options }
  // A missing or an unknown key has the message of the object, which says nothing of the key.
  const isKey = issue.kind === 'schema' && issue.type === 'strict_object'
  if (isKey && issue.expected === 'never') throw new InvalidOptionError(`${where}unknown option ${JSON.stringify(key)}`)
  const allowed = isKey && value === undefined ? 'given' : issue.message
  throw new InvalidOptionError(`${where}${key} must be ${allowed}, got ${shown(value)}`)
}

/** The name of the value: of a part of an option as in a program, 'cluster.sharedDir'; of an item, that of its list. */
function placeOf(path: v.BaseIssue<unknown>['path']): { readonly key: string; readonly value: unknown } | undefined {
  if (path === undefined) return undefined
  const end = path.findIndex(({ type }) => type !== 'object')
  const parts = end < 0 ? path : path.slice(0, end)
  return { key: parts.map(({ key }) => String(key)).join('.'), value: parts.at(-1)?.value }
}

/** @throws InvalidOptionError */
export function assertOptions(given: unknown, where = ''): asserts given is object {
  if (typeof given === 'object' && given !== null && !Array.isArray(given) && !isThenable(given)) return
  throw new InvalidOptionError(`${where}options must be an object, got ${kindOf(given)}`)
}

/** Options from a command line or a file are strings of their own. */
function withInternedStrings<Options extends object>(options: Options): Options {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'string') Object.assign(options, { [name]: interned(value) })
  }
  return options
}

function warnCaller({ logger }: { readonly logger?: { warn?: (message: string) => void } }, message: string): void {
  if (typeof logger?.warn === 'function') logger.warn(message)
  else warnProcess(message)
}

/** Checks one value of one option, which may have another name where it was given, such as a flag. */
export function checkValue(name: string, schema: v.GenericSchema, value: unknown, got = shown(value)): unknown {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw new InvalidOptionError(`${name} must be ${result.issues[0].message}, got ${withoutPassword(got)}`)
}

export function unknownOption(name: string, entries: v.ObjectEntries): string {
  // A flag's name in place of the option's: "out", "keep-generations".
  const ofFlag = optionFacts(entries).find(({ flag }) => flag?.replace(/^--(no-)?| <.*/g, '') === kebabCase(name))
  const meant = ofFlag?.name ?? nearestName(name, Object.keys(entries))
  return `unknown option ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean "${meant}"?`}`
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (isThenable(value)) return 'a Promise'
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value)
  try {
    return withoutPassword(JSON.stringify(value, hidePassword) ?? '') || Object.prototype.toString.call(value)
  } catch {
    // JSON has no form for it, or it contains itself.
    return Object.prototype.toString.call(value)
  }
}
