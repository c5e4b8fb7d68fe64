/** Turns the operating system's errors of reads and writes into typed errors. */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { CorruptIndexError, DiskFullError, FileFailedError, PathError, ShardloomError } from '../../errors.js'
import { systemErrorCode } from '../../runtime/realms.js'

export { systemErrorCode }

const DISK_FULL_CODES = new Set(['ENOSPC', 'EDQUOT'])
const UNUSABLE_PATH_REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this process may not write here'],
  ['EPERM', 'this process may not write here'],
  ['EROFS', 'the file system is read-only'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EEXIST', 'there is a file where a folder is needed'],
  ['EISDIR', 'there is a folder where a file is needed'],
  ['ENOENT', 'a part of the path does not exist'],
  ['ENAMETOOLONG', 'the path is too long'],
  ['ELOOP', 'the path has a loop of symbolic links'],
])

/** Free bytes of the file system of `path`; undefined when they cannot be read. */
function freeBytesAt(path: string): number | undefined {
  for (const place of [path, dirname(path)]) {
    try {
      const { bavail, bsize } = fs.statfsSync(place)
      return bavail * bsize
    } catch (error) {
      // The file may not exist yet; its folder comes next. After any other error the number is unknown.
      if (systemErrorCode(error) !== 'ENOENT') return undefined
    }
  }
  return undefined
}

/**
 * `cause` as DiskFullError, PathError or SHARDLOOM_FILE_FAILED when it is a system error; unchanged otherwise.
 * `neededBytes`: the bytes that could not be written, for a full disk.
 */
export function writeFailure(path: string, neededBytes: number, cause: unknown): unknown {
  const code = systemErrorCode(cause)
  if (code === undefined || cause instanceof ShardloomError) return cause
  if (DISK_FULL_CODES.has(code)) {
    return new DiskFullError({ path, neededBytes, freeBytes: freeBytesAt(path) }, cause)
  }
  const reason = UNUSABLE_PATH_REASONS.get(code)
  return reason === undefined ? fileFailed(path, cause) : new PathError(path, `${reason} (${code})`, cause)
}

/** The error for a failure that the path or a full disk does not explain: an I/O error, too many open files. */
export function fileFailed(path: string, cause: unknown): ShardloomError {
  return new FileFailedError(path, cause)
}

/** `cause` as the error of a file of a published index. */
export function readFailure(path: string, cause: unknown): unknown {
  const code = systemErrorCode(cause)
  if (code === undefined || cause instanceof ShardloomError) return cause
  if (code === 'EACCES' || code === 'EPERM') return new PathError(path, `this process may not read it (${code})`, cause)
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new PathError(path, `too many files are open (${code}); raise the limit on open files (ulimit -n)`, cause)
  }
  const missing = code === 'ENOENT' || code === 'ENOTDIR'
  return new CorruptIndexError(path, missing ? 'the file is missing' : `the file cannot be read (${code})`, { cause })
}
