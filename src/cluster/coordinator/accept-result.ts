import { CorruptSpillError, PathError, ShardloomError } from '../../errors.js'
import { isError } from '../../runtime/realms.js'
import { reviveError } from '../../tasks/task-outcome.js'
import type { TaskName } from '../../tasks/tasks.js'
import type { HostOutcome } from '../files/outcome.js'

/** What a returned outcome means for its task. */
export type Accepted<Name extends TaskName> =
  | { readonly kind: 'result'; readonly outcome: Extract<HostOutcome<Name>, { readonly ok: true }> }
  /** The input or the data are at fault: the same on any host. */
  | { readonly kind: 'final'; readonly error: Error }
  /** Another attempt may succeed. */
  | { readonly kind: 'again'; readonly error: Error }

/** Reads the outcome that a host announced. One that is missing, short or damaged is a failed attempt. */
export async function acceptResult<Name extends TaskName>(
  read: () => Promise<HostOutcome<Name>>,
): Promise<Accepted<Name>> {
  let outcome: HostOutcome<Name>
  try {
    outcome = await read()
  } catch (error) {
    return { kind: 'again', error: isError(error) ? error : new Error(String(error)) }
  }
  if (outcome.ok) return { kind: 'result', outcome }
  const error = reviveError(outcome.error)
  return { kind: isOfTheData(error) ? 'final' : 'again', error }
}

/**
 * Spill files may be stale on one host, and a path may not be there for it, or not be writable; every other damage is
 * there for all of them.
 */
export function isOfTheData(error: Error): boolean {
  if (!(error instanceof ShardloomError) || error instanceof CorruptSpillError || error instanceof PathError)
    return false
  return error.kind === 'input' || error.kind === 'corrupt'
}
