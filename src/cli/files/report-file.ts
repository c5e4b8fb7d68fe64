import { lstat, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InvalidOptionError, PathError } from '../../errors.js'
import { OutputFile } from '../../interop/output-file.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { readAt } from '../../../spill/files/read-at.js'

const BEGINNING = '<!doctype html>'

/**
 * Checks that a page can be written at `path`. An older page may be replaced, but no other file.
 * @throws PathError, InvalidOptionError
 */
export async function checkReportFile(path: string): Promise<void> {
  try {
    const stats = await lstat(path)
    if (!stats.isFile()) {
      throw new PathError(path, 'it exists and is not a plain file, so it is not replaced; name another file')
    }
    if (stats.size > 0 && !(await isPage(path))) {
      throw new InvalidOptionError(`${path} exists and is not an HTML page, so it is not replaced; name another file`)
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw writeFailure(path, 0, error)
    await checkFolder(path)
  }
}

/** A long build must not end with a page that cannot be written. */
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

/** Writes the page completely, or leaves the file as it was. @throws PathError, InvalidOptionError, DiskFullError */
export async function writeReportFile(path: string, page: string): Promise<number> {
  await checkReportFile(path)
  const bytes = Buffer.from(page)
  const file = await OutputFile.create(path)
  try {
    await file.write(bytes)
    await file.finish()
    await file.publish()
  } catch (error) {
    // Reports the first error, not a failure to remove the partial file.
    await file.discard().catch(() => undefined)
    throw error
  }
  return bytes.length
}
