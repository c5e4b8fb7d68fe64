/** Checks that the files a manifest lists exist with their sizes. Readers and `verify` check the contents. */
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import { readFailure } from '../bytes/file-errors.js'
import type { SegmentFile } from '../segment/segment-file.js'

/** @throws CorruptIndexError unless `found` is a file with the manifest's size */
export function checkSize(path: string, found: Stats, expectedBytes: number): void {
  if (!found.isFile()) throw new CorruptIndexError(path, 'this is not a file')
  if (found.size === expectedBytes) return
  const change = found.size < expectedBytes ? 'truncated' : 'longer than it was written'
  throw new CorruptIndexError(path, `the file is ${change}: ${found.size} bytes, expected ${expectedBytes}`)
}

/** @throws CorruptIndexError when the file is missing or has another size. */
export async function checkFileSize(directory: string, file: SegmentFile): Promise<void> {
  const path = join(directory, file.name)
  try {
    checkSize(path, await stat(path), file.bytes)
  } catch (error) {
    throw readFailure(path, error)
  }
}

/** @throws CorruptIndexError for the first file that is missing or has another size. */
export async function checkFileSizes(directory: string, files: readonly SegmentFile[]): Promise<void> {
  for (const file of files) await checkFileSize(directory, file)
}
