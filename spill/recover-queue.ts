/** What a durable queue of an earlier process left, up to the batch that somebody knows of. */

import { rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { recoverSpillFile, type RecoveredFrame } from './recover-spill-file.js'
import { errnoCode, spillFailure } from './spill-failure.js'
import { spillFileName } from './spill-file.js'

export interface RecoveredFile {
  readonly path: string
  readonly bytes: number
  readonly frames: readonly RecoveredFrame[]
}

export interface RecoveredQueue {
  readonly files: readonly RecoveredFile[]
  /** At most as many as were asked for. */
  readonly batches: number
}

/**
 * The first `batches` whole batches of the queue, checked; what comes behind them is cut off and deleted. Fewer when the
 * files hold fewer. Throws CorruptSpillError for damage that is no torn tail.
 */
export async function recoverQueue(directory: string, name: string, batches: number): Promise<RecoveredQueue> {
  const files: RecoveredFile[] = []
  let found = 0
  let torn = false
  for (let index = 0; ; index++) {
    const path = join(directory, spillFileName(name, index))
    try {
      if (found === batches || torn) {
        await rm(path)
        continue
      }
      const file = await recoverSpillFile(path)
      const frames = file.frames.slice(0, batches - found)
      const last = frames.at(-1)
      const bytes = last === undefined ? 0 : last.offset + last.frameBytes
      if (bytes < file.bytes) await truncate(path, bytes)
      found += frames.length
      // What comes behind a gap is another part of the queue.
      torn = file.cutBytes > 0
      files.push({ path, bytes, frames })
    } catch (error) {
      if (errnoCode(error) === 'ENOENT' || (error instanceof Error && errnoCode(error.cause) === 'ENOENT')) break
      throw await spillFailure(path, 'recover the queue', 0, error)
    }
  }
  return { files, batches: found }
}
