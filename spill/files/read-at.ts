import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** Linux moves at most 2 GiB − 4 KiB in one call. */
export const MAX_CALL_BYTES = 2 ** 30

/**
 * Fills `into` from `position` of the file. Returns the bytes read: fewer than asked for only at the end of the file.
 */
export async function readAt(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < into.length) {
    const length = Math.min(into.length - done, MAX_CALL_BYTES)
    const { bytesRead } = await handle.read(into, done, length, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/** `readAt` that blocks the thread. */
export function readAtSync(fd: number, into: Uint8Array, position: number): number {
  let done = 0
  while (done < into.length) {
    const bytesRead = readSync(fd, into, done, Math.min(into.length - done, MAX_CALL_BYTES), position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
