import { InvalidOptionError } from '../errors.js'
import { className, kindOf } from '../wording/value-kind.js'

/** @throws InvalidOptionError unless `path` is text that is not empty. `what` names it. */
export function checkPath(path: unknown, what: string): asserts path is string {
  if (typeof path === 'string' && path !== '') return
  const isUrl = typeof path === 'object' && path !== null && className(path) === 'URL'
  throw new InvalidOptionError(
    `${what} must be a path, got ${kindOf(path)}${isUrl ? ': pass fileURLToPath(url) of node:url' : ''}`,
  )
}
