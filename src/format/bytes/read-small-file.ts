/** Reads small files that may be damaged, too large or not files at all. */
import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { readAt } from '../../../spill/files/read-at.js'
import { CorruptIndexError } from '../../errors.js'

/**
 * Reads a whole file of at most `maxBytes`.
 * @throws CorruptIndexError when it is larger or not a file (reading a named pipe would wait for its writer)
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  const read = await readLimited(path, maxBytes)
  if (typeof read === 'string') throw new CorruptIndexError(path, read)
  return read
}

/**
 * Like `readSmallFile`, for a file that only this program creates, so links are not followed. Returns a problem with
 * the file as a sentence; throws system errors, also for a missing file.
 */
export async function readOwnFile(path: string, maxBytes: number): Promise<Uint8Array | string> {
  if (!(await lstat(path)).isFile()) return NOT_A_FILE
  return readLimited(path, maxBytes)
}

const NOT_A_FILE = 'this is not a file'

async function readLimited(path: string, maxBytes: number): Promise<Uint8Array | string> {
  // Windows has no O_NONBLOCK, and no named pipes among its files.
  const handle = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return NOT_A_FILE
    if (stats.size > maxBytes) return `the file has ${stats.size} bytes, expected at most ${maxBytes}`
    const bytes = new Uint8Array(stats.size)
    return bytes.subarray(0, await readAt(handle, bytes, 0))
  } finally {
    await handle.close()
  }
}
