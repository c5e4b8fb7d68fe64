import * as errors from '../errors.js'
import { tileMilliseconds } from './thread-kernel.js'
import { isError } from '../runtime/realms.js'

/**
 * What a worker sends back. Structured clone keeps only the name, message and stack of an Error. Typed errors are
 * therefore sent as data, and restored with their class, code and details.
 */
export type TaskOutcome<Result> =
  { ok: true; value: Result; busyMs: number; tileMs: number } | { ok: false; error: ErrorData }

export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly fields: Record<string, unknown>
  readonly cause: ErrorData | undefined
}

/**
 * Runs a task body in a worker thread. Typed errors become data; anything else is thrown, which makes the
 * coordinator run the task once more.
 */
export async function outcomeOf<Result>(body: () => Promise<Result> | Result): Promise<TaskOutcome<Result>> {
  const startMs = performance.now()
  const tileMs = tileMilliseconds()
  try {
    const value = await body()
    return { ok: true, value, busyMs: performance.now() - startMs, tileMs: tileMilliseconds() - tileMs }
  } catch (error) {
    if (error instanceof errors.ShardloomError) return { ok: false, error: errorData(error) }
    throw error
  }
}

/** What of an error travels. */
export function errorData(error: Error): ErrorData {
  const fields: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(error)) {
    if (key !== 'cause' && key !== 'name') fields[key] = value
  }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    fields,
    cause: isError(error.cause) ? errorData(error.cause) : undefined,
  }
}

export function reviveError(data: ErrorData): Error {
  const known: unknown = (errors as Record<string, unknown>)[data.name]
  const prototype: unknown = typeof known === 'function' ? known.prototype : Error.prototype
  const revived = new Error(data.message, data.cause === undefined ? undefined : { cause: reviveError(data.cause) })
  Object.setPrototypeOf(revived, prototype as object)
  Object.assign(revived, data.fields)
  Object.defineProperty(revived, 'name', { value: data.name, enumerable: false, configurable: true })
  if (data.stack !== undefined) Object.defineProperty(revived, 'stack', { value: data.stack, configurable: true })
  return revived
}
