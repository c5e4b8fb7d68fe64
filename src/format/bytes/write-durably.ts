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
