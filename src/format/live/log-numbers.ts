import { readdir } from 'node:fs/promises'
import { readFailure } from '../bytes/file-errors.js'
import { liveFolder, LOG_NAME_PATTERN } from './live-paths.js'

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
