import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import { readFailure, systemErrorCode } from '../bytes/file-errors.js'
import { LIVE_FOLDER, LOG_NAME_PATTERN, logName, PART_NAME_PATTERN, PARTS_NAME } from './live-paths.js'
import { LOG_HEADER_BYTES } from './log-header.js'

/** The log that is made before PARTS is, when an index is first opened for writing. */
const FIRST_LOG = logName(1)

/** For an index without PARTS: that there are no changes either. @throws CorruptIndexError */
export async function assertPartsThere(indexDir: string): Promise<void> {
  const folder = join(indexDir, LIVE_FOLDER)
  try {
    for (const name of await readdir(folder)) {
      const isLog = LOG_NAME_PATTERN.test(name)
      if (!isLog && !PART_NAME_PATTERN.test(name)) continue
      if (name === FIRST_LOG && (await stat(join(folder, name))).size <= LOG_HEADER_BYTES) continue
      throw new CorruptIndexError(join(folder, PARTS_NAME), `it is missing, and there is ${name}, which it must name`)
    }
  } catch (error) {
    const code = systemErrorCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw readFailure(folder, error)
  }
}
