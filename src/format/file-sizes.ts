/** Whether the files a manifest lists are there, whole. Sizes only: contents are the readers' and `verify`'s. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../errors.js'
import { systemErrorCode } from './file-errors.js'
import type { SegmentFile } from './segment-file.js'

/** What is wrong with one file, as an error; undefined when it has its size. */
export async function fileSizeProblem(directory: string, file: SegmentFile): Promise<CorruptIndexError | undefined> {
  const path = join(directory, file.name)
  try {
    const found = await stat(path)
    if (!found.isFile()) return new CorruptIndexError(path, 'this is not a file')
    if (found.size === file.bytes) return undefined
    const change = found.size < file.bytes ? 'truncated' : 'longer than it was written'
    return new CorruptIndexError(path, `the file is ${change}: ${found.size} bytes, expected ${file.bytes}`)
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return new CorruptIndexError(path, 'the file is missing', { cause })
    throw cause
  }
}

/** @throws CorruptIndexError for the first file that is missing or has another size. */
export async function checkFileSizes(directory: string, files: readonly SegmentFile[]): Promise<void> {
  for (const file of files) {
    const problem = await fileSizeProblem(directory, file)
    if (problem !== undefined) throw problem
  }
}
