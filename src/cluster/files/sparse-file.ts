import { open } from 'node:fs/promises'
import { writeFailure } from '../../format/bytes/file-errors.js'

/** Makes a new file of zeros that takes no room until they are written. @throws DiskFullError and other file errors */
export async function makeSparseFile(file: string, bytes: number): Promise<void> {
  try {
    const handle = await open(file, 'wx')
    try {
      await handle.truncate(bytes)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(file, bytes, error)
  }
}
