/** Reads small files that may be damaged, too large or not files at all. */
import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { readAt } from '../../../spill/files/read-at.js'
import { CorruptIndexError } from '../../errors.js'

/**
 * All of a file that has a right to a few bytes only.
 * @throws CorruptIndexError for what is no file (a named pipe would wait for its writer) or holds more than `maxBytes`
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  const read = await readLimited(path, maxBytes)
  if (typeof read === 'string') throw new CorruptIndexError(path, read)
  return read
}

/**
 * As `readSmallFile`, of a file that this program made for itself: nobody else puts a link there, so none is followed.
 * What is wrong with it comes back as a sentence; that it is missing is thrown, like any failure of the system.
 */
export async function readOwnFile(path: string, maxBytes: number): Promise<Uint8Array | string> {
  if (!(await lstat(path)).isFile()) return NO_FILE
  return readLimited(path, maxBytes)
}

const NO_FILE = 'this is not a file'

async function readLimited(path: string, maxBytes: number): Promise<Uint8Array | string> {
  // Windows has no O_NONBLOCK, and no named pipes among its files.
  const handle = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return NO_FILE
    if (stats.size > maxBytes) return `the file has ${stats.size} bytes, expected at most ${maxBytes}`
    const bytes = new Uint8Array(stats.size)
    return bytes.subarray(0, await readAt(handle, bytes, 0))
  } finally {
    await handle.close()
  }
}
