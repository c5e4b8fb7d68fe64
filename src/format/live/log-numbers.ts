import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readFailure } from '../bytes/file-errors.js'
import { liveFolder, LOG_NAME_PATTERN, logName } from './live-paths.js'
import { hasLogHeader } from './read-log.js'

/** Numbers of the logs that are there, ascending. @throws PathError, CorruptIndexError */
export async function logNumbers(indexDir: string): Promise<number[]> {
  const folder = liveFolder(indexDir)
  try {
    const names = await readdir(folder)
    return names
      .flatMap((name) => LOG_NAME_PATTERN.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  } catch (error) {
    throw readFailure(folder, error)
  }
}

/**
 * As `logNumbers`, without a newest log that is in the making, or whose making was interrupted: until it has its header,
 * changes go to the one before.
 */
export async function logsInUse(indexDir: string): Promise<number[]> {
  const numbers = await logNumbers(indexDir)
  const newest = numbers.at(-1)
  if (newest === undefined || numbers.length === 1) return numbers
  return (await hasLogHeader(join(liveFolder(indexDir), logName(newest)))) ? numbers : numbers.slice(0, -1)
}
