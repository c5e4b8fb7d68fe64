/** What a durable queue of an earlier process left: first looked through, then cut behind the batch that somebody knows of. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CorruptSpillError } from '../../src/errors.js'
import { checkSpillFile, cutSpillFile, type RecoveredFile } from './recover-spill-file.js'
import { errnoCode, spillFailure } from './spill-failure.js'
import { spillFileName } from './spill-file.js'

export interface RecoveredQueue {
  readonly files: readonly RecoveredFile[]
  readonly batches: number
}

export interface CheckedQueue extends RecoveredQueue {
  /** Why there are no more batches than these, when it is damage and not the end or a torn tail. */
  readonly damage: CorruptSpillError | undefined
}

/**
 * The whole batches at the queue's front, checked: `most` of them, or a few more that lie in the same file, or fewer when
 * the files hold fewer. What comes behind a gap is another part of the queue and not counted. Reads every file once and
 * changes none. Throws SHARDLOOM_SPILL_FAILED.
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
      if (error instanceof Error && errnoCode(error.cause) === 'ENOENT') break
      throw error
    }
  }
  return { files, batches, damage: undefined }
}

/** The first `batches` of what `checkQueue` found; what comes behind them is cut off and deleted. Throws SHARDLOOM_SPILL_FAILED. */
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
    if (errnoCode(error) === 'ENOENT') return false
    throw await spillFailure(path, 'delete what is behind the recovered batches', 0, error)
  }
}
