/** Errors of spill files and queues. */

import fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { DiskFullError, QueueClosedError, ShardloomError, SpillFailedError } from '../../src/errors.js'
import { systemErrorCode } from '../../src/runtime/realms.js'

/**
 * The error for a failed operation on a spill file: DiskFullError for ENOSPC and EDQUOT, a ShardloomError unchanged,
 * anything else (EMFILE, EIO, …) as SHARDLOOM_SPILL_FAILED with its cause.
 */
export async function spillFailure(path: string, doing: string, neededBytes: number, cause: unknown): Promise<Error> {
  if (cause instanceof ShardloomError) return cause
  const code = systemErrorCode(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DiskFullError({ path, neededBytes, freeBytes: await freeBytesAt(dirname(path)) }, cause)
  }
  return spillFailed(path, doing, cause)
}

export function spillFailed(path: string, doing: string, cause: unknown): ShardloomError {
  return new SpillFailedError(path, doing, cause)
}

export function queueClosed(name: string, doing: string): ShardloomError {
  return new QueueClosedError(name, doing)
}

async function freeBytesAt(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await fs.statfs(directory)
    return bavail * bsize
  } catch {
    // The number is only part of the message: the full disk is the error to report.
    return undefined
  }
}
