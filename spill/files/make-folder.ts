import { lstat, mkdir, readlink, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { PathError } from '../../src/errors.js'
import { systemErrorCode } from '../../src/runtime/realms.js'

/** Another process may delete an empty parent between two of the calls here, as a build does that ends. */
const TRIES = 3

/**
 * Makes a folder and those above it that are missing; returns the first that it made, or undefined when all were there.
 * One level at a time, from the nearest one that exists: Node's recursive mkdir never ends where a file system answers
 * ENOENT to every folder, as /proc does, and hides EROFS behind ENOENT.
 * @throws PathError, system errors
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  let first: string | undefined
  for (let tries = 1; ; tries++) {
    const missing = await missingFolders(resolve(folder))
    try {
      for (const each of missing) if (await makeOne(each)) first ??= each
      return first
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error
      if (tries < TRIES) continue
      const reason = 'the file system lets no folder be made here (ENOENT); choose another folder'
      throw new PathError(missing[0] ?? folder, reason, error)
    }
  }
}

/** False when it is there by now. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST' && (await isFolder(folder))) return false
    throw error
  }
}

/** The outermost first. */
async function missingFolders(folder: string): Promise<string[]> {
  const missing: string[] = []
  for (let at = folder; !(await isFolder(at)); at = dirname(at)) {
    missing.unshift(at)
    // A drive that does not exist: there is no folder above it.
    if (dirname(at) === at) break
  }
  return missing
}

/** False when nothing is there. @throws PathError when something else is */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
    await refuseDanglingLink(path)
    return false
  }
  throw new PathError(path, 'there is a file where a folder is needed (EEXIST); choose another folder')
}

async function refuseDanglingLink(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return
    throw error
  }
  const target = await readlink(path)
  throw new PathError(
    path,
    `this is a symbolic link to ${target}, which does not exist; make that folder, or remove the link`,
  )
}
