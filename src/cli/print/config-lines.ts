/** What --print-config prints. */
import type { SettledBuild } from '../files/settle-build.js'
import { withoutPassword } from '../../options/cluster/without-password.js'
import { tableLines } from './table-lines.js'

export function configJson({ settled, config }: SettledBuild): object {
  const options = Object.fromEntries(
    [...settled].map(([name, { value, from }]) => [name, { value: shownValue(value) ?? null, from }]),
  )
  return { config: config ?? null, options }
}

/** Name, value and where it comes from, one option a line. */
export function configLines({ settled, config }: SettledBuild): string[] {
  const rows = [...settled].map(([name, { value, from, fallback }]) => [
    name,
    value === undefined
      ? `(${fallback ?? 'none'})`
      : typeof value === 'string'
        ? shownValue(value)
        : JSON.stringify(value),
    from,
  ])
  return [`configuration file: ${config ?? 'none'}`, '', ...tableLines(rows)]
}

/** The URL of Redis may have a password. */
function shownValue<Value>(value: Value): Value | string {
  return typeof value === 'string' ? withoutPassword(value) : value
}
