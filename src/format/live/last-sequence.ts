import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import { readFailure } from '../bytes/file-errors.js'
import { liveFolder, logName } from './live-paths.js'
import { logsInUse } from './log-numbers.js'
import { readParts, type Parts } from './parts-file.js'
import { readLog } from './read-log.js'

/**
 * The last change that is in the log by now, on the device; 0 when the index was never written to. A change that is being
 * written counts when all of it is in the file. @throws CorruptIndexError, PathError
 */
export async function lastSequence(indexDir: string): Promise<number> {
  for (;;) {
    const before = await marks(indexDir)
    const { parts } = before
    if (parts === undefined) return 0
    try {
      return await lastSequenceOf(indexDir, parts, before.logs.at(-1))
    } catch (error) {
      // A writer may have sealed this log, and deleted it, while it was read.
      const after = await marks(indexDir)
      if (!(error instanceof CorruptIndexError) || JSON.stringify(after) === JSON.stringify(before)) throw error
    }
  }
}

interface Marks {
  readonly parts: Parts | undefined
  readonly logs: readonly number[]
}

async function marks(indexDir: string): Promise<Marks> {
  const parts = await readParts(indexDir)
  return { parts, logs: parts === undefined ? [] : await logsInUse(indexDir) }
}

async function lastSequenceOf(indexDir: string, parts: Parts, number: number | undefined): Promise<number> {
  if (number === undefined) return parts.coveredSequence
  const { dimensions, metric } = parts.settings
  const path = join(liveFolder(indexDir), logName(number))
  const end = await readLog(path, { dimensions, metric, number, newest: true }, () => undefined)
  await syncFile(path)
  return Math.max(parts.coveredSequence, end.lastSequence)
}

/**
 * A power cut takes back what is not on the device, and its numbers are given again: a build must not say that it
 * contains them.
 */
async function syncFile(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r+')
    try {
      await handle.datasync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw readFailure(path, error)
  }
}
