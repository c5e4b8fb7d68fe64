/** Whole reads and writes, and writes that survive a power cut. */
import { constants, writeSync } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { MAX_CALL_BYTES, readAt } from '../../../spill/files/read-at.js'
import { CorruptIndexError } from '../../errors.js'
import { writeFailure } from './file-errors.js'

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

/** Writes all of `bytes` at `position`. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, MAX_CALL_BYTES)
    done += some((await handle.write(bytes, done, length, position + done)).bytesWritten)
  }
}

/** Writes all of `bytes` at `position`, blocking the thread. */
export function writeAtSync(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, MAX_CALL_BYTES)
    done += some(writeSync(fd, bytes, done, length, position + done))
  }
}

/** A file system that takes nothing and says nothing would be asked for ever. */
function some(bytesWritten: number): number {
  if (bytesWritten === 0) throw Object.assign(new Error('EIO: the file system wrote 0 bytes'), { code: 'EIO' })
  return bytesWritten
}

/** Creates or replaces `path`; when the promise resolves the bytes are on the device. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(path, 'w')
    try {
      await writeAt(handle, bytes, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(path, bytes.length, error)
  }
}

/** Makes created, renamed and deleted entries of a folder survive a power cut. Windows has no such call and no need. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  try {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(path, 0, error)
  }
}
