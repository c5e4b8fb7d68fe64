import type * as v from 'valibot'
import { InvalidOptionError } from '../errors.js'

/** Old names of options, which are accepted for one release. */
const RENAMED: Readonly<Record<string, string>> = { storage: 'quantization' }

/** The old names of the options in `entries`: [old, new]. */
export function oldNames(entries: v.ObjectEntries): [string, string][] {
  return Object.entries(RENAMED).filter(([old, now]) => Object.hasOwn(entries, now) && !Object.hasOwn(entries, old))
}

/**
 * `given` with the new name of each option that has its old one; says so by `warn`. `where` comes before each message.
 * @throws InvalidOptionError when both names are given
 */
export function renameOptions(
  entries: v.ObjectEntries,
  given: object,
  warn: (message: string) => void,
  where = '',
): object {
  const options: Record<string, unknown> = { ...given }
  for (const [old, now] of oldNames(entries)) {
    if (!Object.hasOwn(options, old)) continue
    const { [old]: value } = options
    delete options[old]
    if (value === undefined) continue
    if (options[now] !== undefined) {
      throw new InvalidOptionError(`${where}${old} is the old name of ${now}, and both are given; give ${now} only`)
    }
    options[now] = value
    warn(`${where}${renamedText(old, now)}`)
  }
  return options
}

export function renamedText(old: string, now: string): string {
  return `${old} is called ${now} now; the old name is accepted until the next release`
}

const warned = new Set<string>()

/** For a caller without a logger: on stderr, by Node.js, once in a process. */
export function warnProcess(message: string): void {
  warnOnce(message, message, 'DeprecationWarning')
}

/** As `warnProcess`, once for all messages of one kind: their numbers differ. */
export function warnOnce(kind: string, message: string, type = 'ShardloomWarning'): void {
  if (warned.has(kind)) return
  warned.add(kind)
  process.emitWarning(message, type)
}
