/** Checks a durable queue's files after a crash, then truncates them after the last batch in the journal. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CorruptSpillError } from '../../src/errors.js'
import { checkSpillFile, cutSpillFile, type RecoveredFile } from './recover-spill-file.js'
import { spillFailure } from './spill-failure.js'
import { spillFileName } from './spill-file.js'
import { isError, systemErrorCode } from '../../src/runtime/realms.js'

export interface RecoveredQueue {
  readonly files: readonly RecoveredFile[]
  readonly batches: number
}

export interface CheckedQueue extends RecoveredQueue {
  /** The damage after these batches; undefined when the files end there or have a torn tail. */
  readonly damage: CorruptSpillError | undefined
}

/**
 * Finds and checks the whole batches at the front of the queue: `most` of them, or a few more in the same file, or
 * fewer when the files hold fewer. Batches after a gap do not count. Reads every file once and changes none. Throws
 * SHARDLOOM_SPILL_FAILED.
 */
export async function checkQueue(directory: string, name: string, most: number): Promise<CheckedQueue> {
  const files: RecoveredFile[] = []
  let batches = 0
  for (let index = 0; batches < most; index++) {
    const path = join(directory, spillFileName(name, index))
    try {
      const { frames, wholeBytes, bytes, damage } = await checkSpillFile(path)
      const hasMore = damage === undefined && frames.length > 0 && wholeBytes === bytes
      batches += frames.length
      if (frames.length > 0) files.push({ path, bytes: wholeBytes, frames })
      if (!hasMore) return { files, batches, damage }
    } catch (error) {
      if (isError(error) && systemErrorCode(error.cause) === 'ENOENT') break
      throw error
    }
  }
  return { files, batches, damage: undefined }
}

/**
 * Keeps the first `batches` that `checkQueue` found, and deletes all data after them. Throws SHARDLOOM_SPILL_FAILED.
 */
export async function cutQueue(
  directory: string,
  name: string,
  checked: RecoveredQueue,
  batches: number,
): Promise<RecoveredQueue> {
  const files: RecoveredFile[] = []
  let kept = 0
  for (const file of checked.files) {
    const frames = file.frames.slice(0, batches - kept)
    const last = frames.at(-1)
    if (last === undefined) break
    const bytes = last.offset + last.frameBytes
    await cutSpillFile(file.path, bytes)
    kept += frames.length
    files.push({ path: file.path, bytes, frames })
  }
  for (let index = files.length; await removed(join(directory, spillFileName(name, index))); index++);
  return { files, batches: kept }
}

/** False when there is no such file. */
async function removed(path: string): Promise<boolean> {
  try {
    await rm(path, { recursive: true })
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw await spillFailure(path, 'delete the data after the recovered batches', 0, error)
  }
}
