import { AbortedError, ShardloomError } from '../errors.js'

/**
 * The error of a build that its signal stopped. It is AbortedError when the caller stopped the build, and the build's
 * own reason when it could not continue.
 */
export function abortError(signal: AbortSignal | undefined): ShardloomError {
  const reason: unknown = signal?.reason
  return reason instanceof ShardloomError ? reason : new AbortedError(reason)
}
