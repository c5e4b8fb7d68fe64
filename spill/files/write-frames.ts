/** Writes a whole file of frames in a worker thread. readBatches reads it, recoverSpillFile checks it. */

import { closeSync, openSync, writevSync } from 'node:fs'
import type { Batch, FileBatchRef } from '../batch.js'
import { encodeFrame } from './frame.js'
import { skipBytes } from './spill-file.js'
import { spillFailure } from './spill-failure.js'

/** One vectored write. */
const RUN_BYTES = 4 * 2 ** 20
const RUN_FRAMES = 256

/** Creates or truncates `path`. Blocks the thread. Throws DiskFullError or SHARDLOOM_SPILL_FAILED. */
export async function writeFrames(path: string, batches: readonly Batch[]): Promise<FileBatchRef[]> {
  const refs: FileBatchRef[] = []
  let offset = 0
  let runBytes = 0
  try {
    const file = openSync(path, 'w')
    try {
      let run: Uint8Array[] = []
      let frames = 0
      const writeRun = (): void => {
        const from = offset - runBytes
        for (let done = 0; done < runBytes;) {
          const written = writevSync(file, run, from + done)
          if (written === 0) throw new Error('the file system wrote 0 bytes')
          done += written
          run = skipBytes(run, written)
        }
        run = []
        runBytes = 0
        frames = 0
      }
      for (const batch of batches) {
        const { parts, frameBytes, count } = encodeFrame(batch)
        refs.push({ kind: 'file', path, offset, frameBytes, count })
        run.push(...parts)
        offset += frameBytes
        runBytes += frameBytes
        if (runBytes >= RUN_BYTES || ++frames === RUN_FRAMES) writeRun()
      }
      writeRun()
    } finally {
      closeSync(file)
    }
    return refs
  } catch (error) {
    throw await spillFailure(path, `write ${runBytes} bytes of graph rows`, runBytes, error)
  }
}
