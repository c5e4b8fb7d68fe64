/** Writes that survive a power cut. */
import { writeSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { MAX_CALL_BYTES } from '../../../spill/files/read-at.js'
import { writeFailure } from './file-errors.js'

/** Writes all of `bytes` at `position`. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, MAX_CALL_BYTES)
    done += someBytes((await handle.write(bytes, done, length, position + done)).bytesWritten)
  }
}

/** Linux takes 1024 parts in one call. */
const MAX_CALL_PARTS = 1024

/** Writes all of `parts`, one after the other, from `position` on: in one call where the system takes them at once. */
export async function writePartsAt(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  const rest = parts.filter((part) => part.length > 0)
  let at = position
  for (let first = 0; first < rest.length;) {
    let end = first + 1
    let bytes = rest[first].length
    while (end < rest.length && end - first < MAX_CALL_PARTS && bytes + rest[end].length <= MAX_CALL_BYTES) {
      bytes += rest[end++].length
    }
    let written = someBytes((await handle.writev(rest.slice(first, end), at)).bytesWritten)
    at += written
    while (first < end && written >= rest[first].length) written -= rest[first++].length
    if (written > 0) rest[first] = rest[first].subarray(written)
  }
}

/** Writes all of `bytes` at `position`, blocking the thread. */
export function writeAtSync(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, MAX_CALL_BYTES)
    done += someBytes(writeSync(fd, bytes, done, length, position + done))
  }
}

/** Ends the loop over a file system that writes nothing and reports no error. */
function someBytes(bytesWritten: number): number {
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

/** Makes created, renamed and deleted entries of a folder survive a power cut. Windows neither has nor needs it. */
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
