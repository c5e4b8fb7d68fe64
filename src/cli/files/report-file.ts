import { lstat, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InvalidOptionError, PathError } from '../../errors.js'
import { OutputFile } from '../../interop/output-file.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { readAt } from '../../../spill/files/read-at.js'

const BEGINNING = '<!doctype html>'

/**
 * Whether a page may be put at `path`: a page there is replaced, as that of the night before; nothing else is.
 * @throws PathError, InvalidOptionError
 */
export async function checkReportFile(path: string): Promise<void> {
  try {
    const stats = await lstat(path)
    if (!stats.isFile()) {
      throw new PathError(path, 'what is there is no plain file, and is not replaced; name another file')
    }
    if (stats.size > 0 && !(await isPage(path))) {
      throw new InvalidOptionError(`${path} exists and is no HTML page, so it is not replaced; name another file`)
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw writeFailure(path, 0, error)
    await checkFolder(path)
  }
}

/** A build of hours must not end with a page that cannot be written. */
async function checkFolder(path: string): Promise<void> {
  try {
    await lstat(dirname(path))
  } catch (error) {
    throw writeFailure(path, 0, error)
  }
}

async function isPage(path: string): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    const bytes = Buffer.alloc(BEGINNING.length)
    const length = await readAt(handle, bytes, 0)
    return bytes.toString('latin1', 0, length).toLowerCase() === BEGINNING
  } finally {
    await handle.close()
  }
}

/** The page is there whole, or as it was before. @throws PathError, InvalidOptionError, DiskFullError */
export async function writeReportFile(path: string, page: string): Promise<number> {
  await checkReportFile(path)
  const bytes = Buffer.from(page)
  const file = await OutputFile.create(path)
  try {
    await file.write(bytes)
    await file.finish()
    await file.publish()
  } catch (error) {
    // What failed is the error to tell, not that its traces could not be removed.
    await file.discard().catch(() => undefined)
    throw error
  }
  return bytes.length
}
