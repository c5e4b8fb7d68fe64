import { AbortedError, ShardloomError } from '../errors.js'

/**
 * What a build ends with that its signal stopped: AbortedError when the caller did; when the build itself did, because it
 * could not go on, its own reason.
 */
export function abortError(signal: AbortSignal | undefined): ShardloomError {
  const reason: unknown = signal?.reason
  return reason instanceof ShardloomError ? reason : new AbortedError(reason)
}
