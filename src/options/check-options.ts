import * as v from 'valibot'
import { InvalidOptionError } from '../errors.js'
import { nearestName } from './nearest-name.js'
import { kebabCase, optionFacts } from './option-facts.js'

type OptionsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>

/**
 * The options with their defaults. `where` comes before each message: a file's name.
 * @throws InvalidOptionError that names the option, what is allowed and what was got; for an option that there is not,
 * the one that was likely meant.
 */
export function checkOptions<Schema extends OptionsSchema>(
  schema: Schema,
  given: unknown,
  where = '',
): v.InferOutput<Schema> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(`${where}options must be an object, got ${shown(given)}`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema.entries, name)) throw new InvalidOptionError(where + unknownOption(name, schema.entries))
  }
  const result = v.safeParse(schema, given, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const [{ key, value }] = issue.path ?? [{ key: 'options', value: given }]
  // Of an object schema, the message is that of a key that is not there.
  const allowed = issue.kind === 'schema' && issue.type === 'strict_object' ? 'given' : issue.message
  throw new InvalidOptionError(`${where}${String(key)} must be ${allowed}, got ${shown(value)}`)
}

/** One value of one option, whatever it is called where it was given. */
export function checkValue(name: string, schema: v.GenericSchema, value: unknown, got = shown(value)): unknown {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw new InvalidOptionError(`${name} must be ${result.issues[0].message}, got ${got}`)
}

function unknownOption(name: string, entries: v.ObjectEntries): string {
  // A flag's name in place of the option's: "out", "keep-generations".
  const ofFlag = optionFacts(entries).find(({ flag }) => flag?.replace(/^--(no-)?| <.*/g, '') === kebabCase(name))
  const meant = ofFlag?.name ?? nearestName(name, Object.keys(entries))
  return `unknown option ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean "${meant}"?`}`
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value)
  try {
    return JSON.stringify(value) ?? Object.prototype.toString.call(value)
  } catch {
    // It refers to itself, or is of a kind that JSON does not have.
    return Object.prototype.toString.call(value)
  }
}
