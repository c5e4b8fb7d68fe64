/** What --print-config prints. */
import type { SettledBuild } from '../files/settle-build.js'
import { tableLines } from './table-lines.js'

export function configJson({ settled, config }: SettledBuild): object {
  const options = Object.fromEntries(
    [...settled].map(([name, { value, from }]) => [name, { value: value ?? null, from }]),
  )
  return { config: config ?? null, options }
}

/** Name, value and where it comes from, one option a line. */
export function configLines({ settled, config }: SettledBuild): string[] {
  const rows = [...settled].map(([name, { value, from, fallback }]) => [
    name,
    value === undefined ? `(${fallback ?? 'none'})` : typeof value === 'string' ? value : JSON.stringify(value),
    from,
  ])
  return [`configuration file: ${config ?? 'none'}`, '', ...tableLines(rows)]
}
